package tcp

import (
	"container/list"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
)

const (
	// connectionMemory is no less than what an idle connection costs, with the kernel's part.
	connectionMemory = 16 << 10
	// memoryShare and filesShare are the parts of the process's limits that connections may take.
	memoryShare, filesShare = 4, 2
	// mostCompared is how many idle connections are compared, so that a new one costs little.
	mostCompared = 64
)

// Crowd has the connections of all servers. Where there are more than the limits of the process bear,
// each new one ends an idle one of the client that has most. It is safe for concurrent use.
type Crowd struct {
	// crowded is told of each connection that ends so, and of how many its client has.
	crowded func(client netip.Addr, has int)

	mu      sync.Mutex
	bears   int
	count   int
	clients map[fair.Client]*list.List // connections, the oldest first, of clients with any
}

// NewCrowd returns a crowd without connections.
func NewCrowd(crowded func(client netip.Addr, has int)) *Crowd {
	memory := debug.SetMemoryLimit(-1) / memoryShare / connectionMemory
	return newCrowd(int(min(memory, openFiles()/filesShare)), crowded)
}

func newCrowd(bears int, crowded func(client netip.Addr, has int)) *Crowd {
	return &Crowd{crowded: crowded, bears: bears, clients: map[fair.Client]*list.List{}}
}

// join adds a connection, and ends another if there are too many.
func (c *Crowd) join(joins *connection) {
	if ended, has := c.add(joins); ended != nil {
		c.crowded(ended.client, has)
	}
}

func (c *Crowd) add(joins *connection) (ended *connection, has int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	client := fair.ClientOf(joins.client)
	if c.clients[client] == nil {
		c.clients[client] = list.New()
	}
	joins.place = c.clients[client].PushBack(joins)
	if c.count++; c.count <= c.bears {
		return nil, 0
	}
	all := c.largest()
	ended = longestIdle(all)
	if ended == nil || !ended.endIdle() {
		return nil, 0
	}
	has = all.Len()
	c.remove(ended)
	return ended, has
}

// longestIdle returns the connection that is idle for the longest time, of the first ones: its client
// is the least likely to ask at this moment. It returns nil if none is idle.
func longestIdle(all *list.List) (longest *connection) {
	var least time.Time
	for place, found := all.Front(), 0; place != nil && found < mostCompared; place = place.Next() {
		other := place.Value.(*connection) //nolint:forcetypeassert // nothing else is put in
		since, idle := other.idleSince()
		if !idle {
			continue
		}
		if found++; longest == nil || since.Before(least) {
			longest, least = other, since
		}
	}
	return longest
}

// largest returns the connections of the client that has most.
func (c *Crowd) largest() (most *list.List) {
	for _, all := range c.clients {
		if most == nil || all.Len() > most.Len() {
			most = all
		}
	}
	return most
}

// leave removes a connection that is not removed yet.
func (c *Crowd) leave(gone *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if gone.place != nil {
		c.remove(gone)
	}
}

func (c *Crowd) remove(gone *connection) {
	client := fair.ClientOf(gone.client)
	all := c.clients[client]
	if all.Remove(gone.place); all.Len() == 0 {
		delete(c.clients, client)
	}
	gone.place = nil
	c.count--
}
