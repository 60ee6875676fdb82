#!/bin/bash
# First process of the lab's guest (User-Mode Linux). The kernel passes LAB_SHARED and LAB_LIMIT (seconds)
# from its command line. The host's files are seen through hostfs, read-only in effect: an overlay in memory
# takes every write but those below LAB_SHARED.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8
modules=/usr/lib/uml/modules

halt_guest() {
  echo o >/proc/sysrq-trigger
  sleep 5
  poweroff -f
}

fail() {
  echo "lab: $*"
  halt_guest
}

mount -t proc proc /proc
insmod "$modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko" || fail 'no overlayfs'

# A guest whose host side was killed must not live on: its end of the console's input is closed then.
(cat </dev/console >/dev/null && halt_guest) &
(sleep "$LAB_LIMIT" && echo 'lab: the time of the guest is over' && halt_guest) &

mount -t tmpfs tmpfs /run
mkdir /run/upper /run/work /run/root
mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay /run/root || fail 'no overlay'
cd /run/root || fail 'no root'
mount -t tmpfs tmpfs run
mkdir run/host
# Kernel threads move along: the kernel's own calls of modprobe see the new root, too.
pivot_root . run/host || fail 'no pivot_root'
cd /
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount --move /run/host/dev /dev
mount --bind "/run/host$LAB_SHARED" "$LAB_SHARED" || fail "no shared folder $LAB_SHARED"
mkdir -p /lib/modules
mount --bind "/run/host$modules" /lib/modules || fail 'no modules'
umount -l /run/host
ln -s /proc/self/fd /dev/fd
ip link set lo up
modprobe ip_vs || fail 'no ip_vs'

setsid bash "$LAB_SHARED/job.sh" </dev/null
halt_guest
