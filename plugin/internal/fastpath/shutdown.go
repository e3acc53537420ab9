package fastpath

import "sync"

// finish waits until what came to our sockets is answered, and ends CoreDNS's own servers
// meanwhile: CoreDNS would end one after the other, and wait for each. The last is left to
// CoreDNS, which takes the end of all servers for the end of the process and must not see
// it before it stops them itself.
func (f *Instance) finish() error {
	f.mu.Lock()
	servers := f.servers
	f.mu.Unlock()
	var stopping sync.WaitGroup
	for i := range len(servers) - 1 {
		stopping.Go(func() { _ = servers[i].Stop() }) // CoreDNS logs the error when it stops the server itself
	}
	listeners.Wait()
	stopping.Wait()
	return nil
}
