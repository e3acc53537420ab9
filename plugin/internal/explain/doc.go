// Package explain follows a look-up as the resolver of a Pod makes it, question by question, and says why each is answered
// as it is.
//
//	name, Pod --resolvconf, stub--> questions --inprocess--> replies --the rest--> cause
//
// The replies come from the plugins of a Corefile, which run in this process without a socket. [Explain] has them read
// manifests, [Cluster] reads the few objects that the look-up touches with a user's rights, and a [Running] server says what
// it serves itself, to a command that calls [Ask]. Why a reply is what it is, the manifests say, or what the server knows.
//
// The rule not to break: a cause is given only for what was seen. What may not be seen is not missing.
package explain
