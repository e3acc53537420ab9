// Package resolvers tests what stub resolvers find, and how many questions it takes
// them, with the search path completed by the server and without.
//
// The resolvers are real: those of glibc, musl, Go and c-ares, and those within
// busybox nslookup and dig +search. They run as processes of a machine of their own
// (netlab), with the resolv.conf of a Pod, and ask the server that make build makes.
// What they send is counted where it arrives, by listening on the device.
//
// The rule: completion changes no result. A name has the same addresses, or none,
// whatever the mode, and never takes more questions.
package resolvers
