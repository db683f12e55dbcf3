#!/bin/sh
# Makes a small Vagrant box of Debian for the libvirt provider, from Debian's
# own packages alone:
#
#	matrix/vagrant/debian-box.sh debian-12.box bookworm
#
# It takes root, debootstrap, qemu-utils, fdisk and e2fsprogs, about 2 GB of
# space in TMPDIR and some minutes. The mirror is that of the host's apt
# sources; MIRROR names another one.
set -eu

box=${1:?"usage: debian-box.sh FILE.box [SUITE]"}
suite=${2:-bookworm}
# shellcheck disable=SC2016 # the format is apt-get's
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 2>/dev/null |
	awk -v suite="$suite" '$2 == suite { print $1; exit }')}
if [ -z "$mirror" ]; then # the suite is not the host's own
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' | awk '$2 == "Debian" { print $1; exit }')
fi
: "${mirror:?"no mirror of Debian in the host's apt sources: set MIRROR"}"

work=$(mktemp -d)
loop=
finish() {
	status=$?
	umount -R "$work/root" 2>/dev/null || :
	[ -z "$loop" ] || losetup -d "$loop" || :
	rm -rf "$work"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

truncate -s 2G "$work/disk"
printf 'label: dos\n2048,,L,*\n' | sfdisk -q "$work/disk"
# The partition alone, so that nothing has to scan for it.
loop=$(losetup --find --show --offset $((2048 * 512)) "$work/disk")
# What the boot loader of the next release cannot read stays switched off.
mkfs.ext4 -q -O '^metadata_csum_seed,^orphan_file' -L root "$loop"
mkdir "$work/root"
mount "$loop" "$work/root"
root=$work/root

debootstrap --variant=minbase \
	--include=systemd-sysv,udev,dbus,linux-image-cloud-amd64,extlinux,syslinux-common,openssh-server,sudo,iproute2,rsync \
	"$suite" "$root" "$mirror"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
: >"$root/etc/apt/sources.list" # the mirror is this host's business

echo debian >"$root/etc/hostname"
echo 'LABEL=root / ext4 errors=remount-ro 0 1' >"$root/etc/fstab"
printf '[Match]\nName=e*\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/80-dhcp.network"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"

# What Vagrant asks of a box: a user with its well-known key, which it replaces
# at the first start, and sudo without a question.
chroot "$root" useradd -m -s /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/vagrant"
chmod 0440 "$root/etc/sudoers.d/vagrant"
key=$(find /usr/share/vagrant /usr/share/rubygems-integration /opt/vagrant /var/lib/gems -name vagrant.pub -path '*keys*' 2>/dev/null | head -n 1)
: "${key:?"Vagrant is not here: its public key goes into the box"}"
mkdir -m 0700 "$root/home/vagrant/.ssh"
head -n 1 "$key" >"$root/home/vagrant/.ssh/authorized_keys"
chmod 0600 "$root/home/vagrant/.ssh/authorized_keys"
chroot "$root" chown -R vagrant:vagrant /home/vagrant/.ssh
echo 'UseDNS no' >>"$root/etc/ssh/sshd_config"

for kernel in "$root"/boot/vmlinuz-*; do :; done
kernel=${kernel##*/}
mkdir -p "$root/boot/extlinux"
cat >"$root/boot/extlinux/extlinux.conf" <<END
DEFAULT linux
PROMPT 0
TIMEOUT 1
LABEL linux
  LINUX /boot/$kernel
  INITRD /boot/initrd.img-${kernel#vmlinuz-}
  APPEND root=LABEL=root ro net.ifnames=0 console=tty0 console=ttyS0
END
mount --bind /dev "$root/dev"
mount -t proc none "$root/proc"
chroot "$root" extlinux --install /boot/extlinux
cp "$root/usr/lib/syslinux/mbr/mbr.bin" "$work/mbr"
umount "$root/proc" "$root/dev"
umount "$root"
losetup -d "$loop"
loop=
dd if="$work/mbr" of="$work/disk" bs=440 count=1 conv=notrunc status=none

qemu-img convert -O qcow2 -c "$work/disk" "$work/box.img"
rm "$work/disk"
printf '{"provider": "libvirt", "format": "qcow2", "virtual_size": 2}\n' >"$work/metadata.json"
printf 'Vagrant.configure("2") do |config|\n  config.vm.guest = :debian\nend\n' >"$work/Vagrantfile"
tar -C "$work" -czf "$box" metadata.json Vagrantfile box.img
echo "$box: $(sha256sum "$box" | cut -d ' ' -f 1)"
