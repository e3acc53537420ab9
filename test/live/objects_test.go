package live

import "testing"

// step is a change of the cluster with the answers that follow. Objects are removed first.
type step struct {
	title  string
	remove []string // as in "Service live/web"
	apply  string
	want   answers
}

// follow makes one step after another.
func follow(t *testing.T, c *cluster, s *server, steps []step) {
	t.Helper()
	for _, step := range steps {
		ok := t.Run(step.title, func(t *testing.T) {
			for _, object := range step.remove {
				c.remove(t, object)
			}
			c.apply(t, step.apply)
			s.await(t, step.want)
		})
		if !ok {
			t.FailNow() // the next step builds on this one
		}
	}
}

// verified starts a server that watches every kind of object.
func verified(t *testing.T, name string) (*cluster, *server) {
	t.Helper()
	c := everybodys.start(t)
	return c, start(t, block(c.user(t, name).direct(t), "pods verified"))
}

func TestNamespaces(t *testing.T) {
	c, s := verified(t, "namespaces")
	follow(t, c, s, namespaceSteps)
}

func TestServices(t *testing.T) {
	c, s := verified(t, "services")
	follow(t, c, s, serviceSteps)
}

func TestEndpointSlices(t *testing.T) {
	c, s := verified(t, "slices")
	follow(t, c, s, sliceSteps)
}

func TestPods(t *testing.T) {
	c, s := verified(t, "pods")
	follow(t, c, s, podSteps)
}
