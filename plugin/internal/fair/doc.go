// Package fair shares what is not enough for all between clients: the time of whoever answers,
// and places in which questions wait. It knows neither sockets nor DNS.
//
//   - A [Queue] gives each client its turn, and drops from the client with the most.
//   - [Places] lets a client hold as much as it asks for while there is room, and leaves room
//     for others that come.
//
// Neither has a limit for one client, and neither remembers a client that has nothing in it, so
// memory is bounded by the capacity, whatever addresses questions come from.
package fair
