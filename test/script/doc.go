// Package script tests the server as a whole: every script in testdata starts a
// CoreDNS on loopback, in this process and with the plugins of a real one, asks
// it over UDP, TCP and HTTP, and changes what it serves while it runs.
//
// A script is a txtar archive: commands first, then the files they work on,
// among them the Corefile, the Kubernetes objects and the answers wanted. Its
// folder is the current one, so that relative paths are those of the archive.
// In a Corefile, {PORT} stands for a free port; the same names are variables of
// the script: PORT and OTHER for DNS, UPSTREAM for a resolver to forward to,
// READY, HEALTH and METRICS for HTTP.
//
// Besides the commands of testscript there are:
//
//	[!] start COREFILE       start the server; the error of a failed start is stderr
//	[!] reload COREFILE      give the running server another Corefile
//	dig [@PORT] [-bADDRESS] [+tcp] [+bufsize=N|+noedns] NAME [TYPE [CLASS]]
//	dig [...] -x ADDRESS     print the answer in a form that does not change
//	ask FILE [OPTION...]     print FILE with every "$ dig ..." in it answered anew,
//	                         asked with more of dig's options
//	refuse COREFILE FILE     print FILE with every "$ line" in it tried in the
//	                         place of {LINE} and followed by the start's error
//	http URL                 print status and body
//	counter NAME             print by how much a metric grew since the script began
//	logs [REGEXP]            print the lines that were logged since the script began
//	eventually REGEXP COMMAND ARG...
//	                         repeat dig, ask, http, counter or logs until the
//	                         output matches
//	replace FILE OLD NEW     change a file, all at once
//	hammer DIG'S ARGUMENTS   ask a question over and over in the background
//	rest                     stop that, and fail if any answer was no success
//
// After a change on purpose, go test ./test/script -update writes the answers
// that scripts compare with anew. Read the difference: the server is wrong more
// often than the script.
package script
