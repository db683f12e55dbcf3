package guest

// Word is the word of the kernel's command line that makes this program the
// first process of a guest. The kernel hands words that it does not know to
// the first process as environment, "Word=1".
const Word = "zcprobe_guest"

// Job is what a guest is to do. It lies in the initramfs.
type Job struct {
	Run     []string `json:"run"`     // arguments of zcprobe; the record's file is added
	Tests   []string `json:"tests"`   // arguments of the library's test program
	Modules []string `json:"modules"` // files below modules, in the order to load them
	Disk    string   `json:"disk"`    // the filesystem on the first disk, for fixtures; "" is none
	Restart bool     `json:"restart"` // end by a restart, on machines that cannot power off
}

// The files of the initramfs.
const (
	initFile   = "init"
	testsFile  = "zerocopy.test"
	jobFile    = "job.json"
	modulesDir = "modules"
)
