#!/bin/bash
# suite.sh BUNDLE NAME SECONDS: runs one suite in namespaces of its own, so that whatever it starts or leaves
# behind ends with it. TAP, log and exit code go to the shared folder.
# bash stays the first process of the namespaces: no signal of its own ends a first process, not even SIGSEGV.
bundle=$1 name=$2 limit=$3
result=$LAB_SHARED/$name
setup='mount -t tmpfs tmpfs /run && mount -t sysfs sysfs /sys && ip link set lo up'
timeout --signal=KILL "$limit" \
  unshare --net --mount --pid --fork --kill-child --mount-proc \
  bash -c "$setup && node --enable-source-maps \"\$0\" \"\$1\"; exit \$?" "$bundle" "$name" \
  >"$result.tap" 2>"$result.log"
echo $? >"$result.exit"
