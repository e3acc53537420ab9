#!/usr/bin/env bash
# Software: BIND 9.18.49 (Debian 12: bind9 1:9.18.49-1~deb12u3), forwarding a zone.
#
# Expected: "dnssec-validation no" says that this server validates nothing. What it forwards has the CD bit as the
# client sent it, so that the server it forwards to does as it always does (RFC 6840 5.9 recommends CD to a resolver
# that validates itself).
#
# Seen: the other way round. With "dnssec-validation no" every forwarded question has the CD bit, though no client set
# it: the server behind is told to leave validation to one that does none, and a server that treats questions with CD
# apart (a cache has an entry of their own for them) does so for all of them. With "dnssec-validation yes" and
# "validate-except" for the zone, the same server sends none of them with CD.
#
# The script needs Debian 12 on amd64, with the libraries that bind9 depends on. It succeeds if all that is
# still so.
set -euo pipefail
version=1:9.18.49-1~deb12u3
folder=$(mktemp -d)
started=()
end() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" || true; done
	rm -rf "$folder"
}
trap end EXIT
cd "$folder"
chmod 755 .
apt-get -qq download "bind9=$version" "bind9-libs=$version" "bind9-dnsutils=$version"
for package in *.deb; do dpkg -x "$package" .; done
export LD_LIBRARY_PATH=$folder/usr/lib/x86_64-linux-gnu

# server starts BIND with a name, a port, and lines for its options and after them.
server() {
	mkdir "$1"
	cat >"$1/named.conf" <<CONF
options {
	directory "$folder/$1"; pid-file "pid"; session-keyfile "key";
	listen-on port $2 { 127.0.0.1; }; listen-on-v6 { none; };
	$3
};
controls { };
$4
CONF
	usr/sbin/named -g -c "$folder/$1/named.conf" 2>"$1/log" &
	started+=($!)
	for _ in $(seq 100); do
		grep -q 'all zones loaded' "$1/log" && return
		sleep 0.1
	done
	cat "$1/log"
	exit 1
}

printf '$TTL 5\n@ SOA ns mail 1 1 1 1 5\n@ NS ns\nns A 192.0.2.53\n* A 192.0.2.1\n' >zone
behind='zone "cluster.local" { type forward; forward only; forwarders { 127.0.0.1 port 25301; }; };'
server behind 25301 'recursion no; querylog yes;' "zone \"cluster.local\" { type primary; file \"$folder/zone\"; };"
server without 25302 'dnssec-validation no;' "$behind"
server with 25303 'dnssec-validation yes; validate-except { "cluster.local"; };' "$behind"

usr/bin/dig +tries=1 +noall +answer @127.0.0.1 -p 25302 without.cluster.local A
usr/bin/dig +tries=1 +noall +answer @127.0.0.1 -p 25303 with.cluster.local A

# flags prints the flags of a forwarded question, of which C is CD and D is DO.
flags() { sed -n "s/.*query: $1.cluster.local IN A \([^ ]*\) .*/\1/p" behind/log | head -n 1; }
echo "dnssec-validation no: $(flags without); yes, with validate-except: $(flags with)"
case "$(flags without)" in *C*) ;; *) echo "no CD any more without validation"; exit 1 ;; esac
case "$(flags with)" in *C*) echo "CD with validation too now"; exit 1 ;; +*) ;; *) echo "the question did not arrive"; exit 1 ;; esac
