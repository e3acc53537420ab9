// Package script tests the server as a whole: every script in testdata starts a CoreDNS on
// loopback, in this process and with the plugins of a real one, asks it over UDP, TCP and
// HTTP, and changes what it serves while it runs.
//
// A script is a txtar archive: first the commands, then the files that they use, among them
// the Corefile, the Kubernetes objects and the wanted answers. Its folder is the working
// folder, so that relative paths are those of the archive. In a Corefile, {PORT} stands for
// a free port; scripts have the same names as variables: PORT and OTHER for DNS, UPSTREAM
// for a resolver to forward to, READY, HEALTH and METRICS for HTTP.
//
// Besides the commands of testscript there are:
//
//	[!] start COREFILE       start the server; the error of a failed start is stderr
//	[!] reload COREFILE      load another Corefile into the running server
//	dig [@PORT] [-bADDRESS] [+tcp] [+bufsize=N|+noedns] NAME [TYPE [CLASS]]
//	dig [...] -x ADDRESS     print the answer in a form that does not vary
//	ask FILE [OPTION...]     print FILE with a new answer after every "$ dig ...", asked with these further options of dig
//	refuse COREFILE FILE     print FILE with the error of a start after every "$ line", which replaces {LINE}
//	http URL                 print status and body
//	counter NAME             print by how much a metric has grown since the script began
//	logs [REGEXP]            print the lines that were logged since the script began
//	eventually REGEXP COMMAND ARG...
//	                         repeat dig, ask, http, counter or logs until the output matches
//	replace FILE OLD NEW     change a file atomically
//	hammer DIG'S ARGUMENTS   ask a question over and over in the background
//	rest                     stop that, and fail if any answer was not a success
//
// After an intended change, go test ./test/script -update rewrites the wanted answers. Read
// the difference: the server is wrong more often than the script.
package script
