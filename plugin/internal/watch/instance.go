package watch

import "github.com/coredns/caddy"

// instance identifies a caddy.Instance, which a plugin cannot see.
type instance struct{ _ byte }

type instanceKey struct{}

// instanceOf returns the instance that a controller belongs to.
func instanceOf(c *caddy.Controller) *instance {
	if i, ok := c.Get(instanceKey{}).(*instance); ok {
		return i
	}
	i := new(instance)
	c.Set(instanceKey{}, i)
	return i
}

// liveInstances returns the instances that run or are starting.
func liveInstances() map[*instance]bool {
	live := map[*instance]bool{}
	for _, i := range caddy.Instances() {
		i.StorageMu.RLock()
		if own, ok := i.Storage[instanceKey{}].(*instance); ok {
			live[own] = true
		}
		i.StorageMu.RUnlock()
	}
	return live
}

// servingKey is the key of an instance's functions that are called when it serves.
type servingKey struct{}

func init() { caddy.RegisterEventHook("clusterdns", callServing) }

// OnServing makes caddy call begin once the sockets of the instance are open. It is never
// called in an instance whose start fails, because such an instance gets no call to stop
// either.
func OnServing(c *caddy.Controller, begin func()) {
	list, _ := c.Get(servingKey{}).([]func())
	c.Set(servingKey{}, append(list, begin))
}

func callServing(event caddy.EventName, about any) error {
	i, ok := about.(*caddy.Instance)
	if event != caddy.InstanceStartupEvent || !ok {
		return nil
	}
	i.StorageMu.RLock()
	list, _ := i.Storage[servingKey{}].([]func())
	i.StorageMu.RUnlock()
	for _, begin := range list {
		begin()
	}
	return nil
}
