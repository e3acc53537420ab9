// Package top counts who asks what, now: the Namespaces and addresses that ask most, the names that are asked for
// most, and the response codes. Its memory is bounded whatever clients ask.
//
// Each list is a space-saving sketch (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k
// Elements in Data Streams, 2005) with 64 counters. Of N questions, every item with more than N/64 of them is in it,
// and no counter is too high by more than that; each says by how much it may be.
//
// "Now" is the last ten to twenty seconds: a window that is full takes the place of the one before.
//
// To cost next to nothing, only one of 16 questions is counted once there are a thousand in a second, for 16. Which
// one is left to chance, question by question, so that no client can ask between those that count. The count of an
// item with n questions is then off by about 4 times the square root of n.
//
// The rule not to break: nothing that a client can choose takes memory without a bound.
package top
