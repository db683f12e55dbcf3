//go:build !unix

package zerocopy

// mechanisms: none is used on this system yet.
func (e *Engine) mechanisms() []Mechanism { return nil }
