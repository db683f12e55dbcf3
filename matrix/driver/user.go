package driver

import "os"

// Privileged tells whether this process can become another user.
func Privileged() bool { return os.Geteuid() == 0 }
