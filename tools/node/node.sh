#!/bin/sh
# Process 1 of the node, in mount, network and process namespaces of its own: what containerd, kubelet and kube-proxy write
# stays in memory, and all of it ends with this process. It starts none of them.
#   node.sh OUR_ADDRESS THEIR_ADDRESS SERVICES CGROUP
set -eu
here=$(dirname "$(readlink -f "$0")")

mount --make-rshared /
mount -t tmpfs -o mode=755 node /run
mount -t tmpfs -o mode=755 node /var/lib
mount -t tmpfs -o mode=755 node /var/log
mkdir -p /run/node/cni
cp "$here/bridge.conflist" /run/node/cni/

# The kubelet would set these for the whole machine; where they are right already, it leaves them alone.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=/run/node/$(echo "${setting%=*}" | tr / .)
    echo "${setting#*=}" > "$file"
    mount --bind "$file" "/proc/sys/${setting%=*}"
done

# One of its own in each hierarchy, so that no other kubelet's pods are touched.
mkdir -p "/sys/fs/cgroup/$4"
for hierarchy in /sys/fs/cgroup/*/; do
    [ ! -e "$hierarchy/cgroup.procs" ] || [ "$hierarchy" = "/sys/fs/cgroup/$4/" ] || mkdir -p "$hierarchy$4"
done

ip link set lo up
until ip link set node up 2>/dev/null; do sleep 0.1; done
ip address add "$1/30" dev node
# No default route: nothing can be pulled from anywhere. What goes to a Service is translated before it leaves, but needs
# some route before that.
ip route add "$3" via "$2"
echo 1 > /proc/sys/net/ipv4/ip_forward
echo up

# Processes whose parents have ended come to us.
while :; do sleep 1; done
