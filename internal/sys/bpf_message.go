package sys

// Verdict is what a program of type sk_msg says of a message that is sent.
type Verdict int

// The verdicts.
const (
	DropMessage     Verdict = iota // SK_DROP
	PassMessage                    // SK_PASS
	RedirectMessage                // to the socket in slot 0 of a map, to be sent there
	CorkMessage                    // pass, but not before so many bytes are there
)
