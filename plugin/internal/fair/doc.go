// Package fair shares scarce resources between clients: the time of a server, and places in
// which questions wait. It uses neither sockets nor DNS.
//
// - [Queue] serves clients in turns, and drops items of the client that has most.
// - [Places] lets a client have as much as it asks for while there is room, and leaves room for other clients.
//
// Neither has a limit for one client, and neither remembers a client that has nothing in
// it. So memory is bounded by the capacity, whatever addresses questions come from.
package fair
