//go:build !race

package cases

const slowness = 1
