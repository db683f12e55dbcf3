package cases

// excuse is why no lie changes some facts of a case.
type excuse struct {
	facts []string
	why   string
}

// unchangeable are facts that a lie of a kernel cannot change. Some look after
// the case itself: they would tell of a question that was not asked. Others are
// promises of the library that it keeps whatever the kernel says.
var unchangeable = map[string]excuse{
	"any/library/close-ends-a-transfer":                 {[]string{"source", "destination"}, "Close comes before the transfer can make a call"},
	"any/library/count-zero-moves-nothing":              {[]string{"n", "path", "error", Position, Bytes}, "the library makes no call for it: that is the point"},
	"any/library/counters-add-up":                       {[]string{"as-results"}, "both sides are what the library made of the same answers"},
	"any/library/expired-deadline-sends-nothing":        {[]string{"n", "path", "error", Position, Bytes}, "the library makes no call for it: that is the point"},
	"linux/library/source-truncated-while-sending":      {[]string{"offset-is-n"}, "both sides are what the library made of the same answers"},
	"any/library/deadline-keeps-offset-exact":           {[]string{"offset-is-n"}, "both sides are what the library made of the same answers"},
	"linux/library/idle-relay-holds-no-pipe":            {[]string{"error"}, "the deadline ends a wait, not a call"},
	"linux/msg_zerocopy/memory-free-after-notification": {[]string{"read"}, "it counts only where notifications come late, not over loopback"},
	"linux/msg_zerocopy/pollerr":                        {[]string{"before"}, "it is looked at before the first call, to know what the call changed"},
	"linux/sendfile/sealed-memfd":                       {[]string{"content"}, "a sealed file cannot be written to by the lie either"},
	"linux/splice/proc-sysfs-source":                    {[]string{"tried"}, "it says that there were files to ask about"},
	"linux/splice/procfs-splice-einval":                 {[]string{"read"}, "it says that the files are not empty"},
	"linux/splice/full-pipe-is-what-to-wait-for":        {[]string{"pipe-ready"}, "poll is asked beside the kernel under test, and what a fixture filled is full"},
	"linux/splice/file-sink-cannot-be-waited-for":       {[]string{"epoll", "ready"}, "poll and epoll are asked beside the kernel under test"},
	"linux/vmsplice/forgotten-memory-stays-in-pipe":     {[]string{"memory"}, "it says that madvise did what the question rests on"},
	"linux/splice/sysctl-sink":                          {[]string{"before"}, "it is looked at before the first call, to know what the call changed"},
	"linux/io_uring/sendzc-inet-matrix":                 {[]string{"tried"}, "it says that there were sockets to ask about"},
}
