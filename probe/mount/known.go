package mount

import "strings"

// known is what the bug trackers say of filesystems, for the reader who wonders
// whether to trust a good verdict. The types are those of mountinfo; the first
// that fits counts.
var known = []struct {
	types  []string // whole names, or with a * at the end
	words  string
	source string
}{
	{[]string{"vboxsf"}, "serves old pages with the new length after the host has changed a file, by sendfile and mmap: plain read is right", "hashicorp/vagrant#351, golang/go#9694"},
	{[]string{"virtiofs"}, "with cache=always shows nothing of what the host changes, by any way", "kata-containers/runtime#1902"},
	{[]string{"fuse.grpcfuse", "fakeowner", "fuse.osxfs"}, "short, stale and truncated files after the host has changed them were reported", "docker/for-mac#4999, #7494"},
	{[]string{"9p"}, "with cache=loose or fscache shows nothing of what the host changes; every read is a message to the host", "Documentation/filesystems/9p.rst, kubernetes/minikube#1370"},
	{[]string{"zfs"}, "sendfile and copy_file_range were EINVAL with Linux 5.10 and 5.16, splice was wrong with 6.4 and 6.5, and files copied just after they were written had zeros in them before 2.2.2", "openzfs/zfs#11151, #15163, #15526"},
	{[]string{"cifs", "smb3"}, "copy_file_range was EIO, EPERM for a source that is read-only, or success without a byte", "golang/go#42334, golang/go#42400, libuv/libuv#3322"},
	{[]string{"nfs", "nfs4"}, "copy_file_range was EOPNOTSUPP on old clients; changes of other clients show when the file is opened anew, or after the attribute cache's time (nfs(5), acregmin)", "golang/go#40731, nfs(5)"},
	{[]string{"ceph"}, "copy_file_range was EACCES before Linux 4.20", "libuv/libuv#3117"},
	{[]string{"ecryptfs"}, "copy_file_range is EINVAL and leaves an empty file", "boostorg/filesystem#184, oven-sh/bun#25534"},
	{[]string{"gpfs"}, "sendfile to a file was EINVAL", "flatironinstitute/nixpack#25"},
	{[]string{"shiftfs"}, "sendfile was broken before 5.13", "toby63/shiftfs-dkms#11"},
	{[]string{"fuse.lizardfs", "fuse.mfs"}, "sendfile while the same range is written returned wrong blocks", "lizardfs/lizardfs#672"},
	{[]string{"fuse.glusterfs"}, "copy_file_range was ENOSYS or EPERM where the brick cannot share extents", "gluster/glusterfs#1223"},
	{[]string{"fuse.fuse-overlayfs"}, "copy_file_range opens files again by name: EACCES for read-only ones, ENOENT for deleted ones", "containers/fuse-overlayfs#399"},
	{[]string{"bcachefs"}, "corruption through splice was suspected in 2023", "koverstreet/bcachefs#581"},
	{[]string{"overlay"}, "a file of a lower layer that is changed there, beneath the mount, is undefined behaviour", "Documentation/filesystems/overlayfs.rst"},
	{[]string{"fuse", "fuse.*", "fuseblk"}, "where the server asks for direct I/O (FOPEN_DIRECT_IO), read asks the server and sendfile and splice ask the page cache since Linux 6.5: what changes beneath shows in one and not in the others", "commit 2cb1e08985e3; https://lore.kernel.org/r/20260512200448.3818665-1-joannelkoong@gmail.com"},
}

// knownOf is what is known of a type of filesystem; "" where nothing is.
func knownOf(fstype string) string {
	for _, k := range known {
		for _, t := range k.types {
			prefix, star := strings.CutSuffix(t, "*")
			if t == fstype || star && strings.HasPrefix(fstype, prefix) {
				return "Known of " + fstype + ": " + k.words + " (" + k.source + ")."
			}
		}
	}
	return ""
}

// shared tells whether files on such a mount can change without this kernel
// having a hand in it.
func shared(fstype string) bool {
	for _, t := range []string{
		"vboxsf", "virtiofs", "9p", "nfs", "nfs4", "cifs", "smb3", "ceph", "gpfs", "lustre", "afs", "ocfs2", "gfs2",
		"prl_fs", "vmhgfs", "fakeowner", "drvfs", "overlay", "ecryptfs",
	} {
		if t == fstype {
			return true
		}
	}
	return strings.HasPrefix(fstype, "fuse")
}
