//go:build race

package cases

// slowness is how much slower the race detector makes all this.
const slowness = 4
