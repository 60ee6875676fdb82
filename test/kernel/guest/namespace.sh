#!/bin/bash
# First process of the lab on a host kernel that has IPVS: in fresh network, mount and process namespaces.
# $1 is the shared folder.
export LAB_SHARED=$1
mount -t tmpfs tmpfs /run
mount -t sysfs sysfs /sys
ip link set lo up
exec bash "$LAB_SHARED/job.sh" </dev/null
