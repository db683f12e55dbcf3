package mount

import "github.com/zcprobe/zcprobe/internal/sys"

// drop drops the file's pages from the cache, and counts those that stay.
func (c *check) drop(v *view) {
	c.step("posix_fadvise")
	seen := &c.report.Cache
	if errno := sys.DropCache(v.fd); errno != 0 {
		seen.Why = "posix_fadvise says " + sys.ErrnoName(errno)
		return
	}
	st, err := v.file.Stat()
	if err != nil || !c.sit.Full {
		return
	}
	c.step("mincore")
	cached, pages, errno := sys.Cached(v.fd, min(st.Size(), room))
	if errno != 0 {
		seen.Why = "mincore, on a mapping of the file, says " + sys.ErrnoName(errno)
		return
	}
	seen.Cached, seen.Pages = seen.Cached+cached, seen.Pages+pages
}
