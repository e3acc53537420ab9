package transfer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const namespace = "shop"

// cluster is an API server whose objects change.
type cluster struct {
	*controlplane.Cluster
	kubeconfig string
	random     *rand.Rand
	rounds     int
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Cluster: controlplane.StartTest(t, controlplane.Options{}), random: rand.New(rand.NewPCG(1, 2))}
	var err error
	if c.kubeconfig, err = c.Kubeconfig(c.Admin()); err != nil {
		t.Fatal(err)
	}
	c.apply(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+"}")
	for i := range 20 {
		c.apply(t, service(i, "headless"))
		c.apply(t, c.slice(i))
	}
	return c
}

func (c *cluster) apply(t *testing.T, manifest string) {
	t.Helper()
	if err := c.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
}

// change makes some changes: of a headless Service's endpoints, or of a Service that is
// added, removed or gets other external addresses. It waits until the secondaries at the
// ports have all of them.
func (c *cluster) change(t *testing.T, times int, ports ...string) {
	t.Helper()
	defer c.mark(t, ports)
	for range times {
		i := c.random.IntN(20)
		switch c.random.IntN(5) {
		case 0:
			c.apply(t, service(100+i, "virtual"))
		case 1:
			c.apply(t, service(200+i, "alias"))
		case 2:
			c.apply(t, c.outside(300+i))
		case 3:
			c.remove(t, fmt.Sprintf("s%d", 100+100*c.random.IntN(3)+i))
		default:
			c.apply(t, c.slice(i))
		}
	}
}

// mark makes one more change, unlike that of any other round, and waits for it.
func (c *cluster) mark(t *testing.T, ports []string) {
	t.Helper()
	c.rounds++
	i := 1000 + c.rounds
	c.apply(t, c.outside(i))
	prefix := fmt.Sprintf("s%d.%s.", i, namespace)
	for _, port := range ports {
		for _, origin := range origins {
			eventually(t, func() error { return hasPrefix(port, origin, prefix) })
		}
	}
}

// hasPrefix returns nil if a zone has a record with the prefix.
func hasPrefix(port, origin, prefix string) error {
	z, err := pull(port, origin)
	if err == nil && !slices.ContainsFunc(z.records, func(r string) bool { return strings.HasPrefix(r, prefix) }) {
		err = fmt.Errorf("%s: no record of %s", origin, prefix)
	}
	return err
}

func (c *cluster) remove(t *testing.T, name string) {
	t.Helper()
	err := c.Client().CoreV1().Services(namespace).Delete(t.Context(), name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
}

func service(i int, kind string) string {
	spec := map[string]string{
		"headless": "{clusterIP: None, ports: [{name: sql, port: 5432}]}",
		"virtual":  "{ports: [{name: http, port: 80}]}",
		"alias":    "{type: ExternalName, externalName: www.example.com}",
	}[kind]
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: s%d, namespace: %s}\nspec: %s", i, namespace, spec)
}

// outside returns a Service with external addresses of both families.
func (c *cluster) outside(i int) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: s%d, namespace: %s}\n"+
		"spec: {type: LoadBalancer, externalIPs: [192.0.2.%d, '2001:db8::%d'], ports: [{name: http, port: %d}]}",
		i, namespace, 1+c.random.IntN(250), 1+c.random.IntN(9), 80+c.random.IntN(3))
}

// slice returns an EndpointSlice with one to four endpoints.
func (c *cluster) slice(i int) string {
	text := fmt.Sprintf(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: s%[1]d, namespace: %[2]s, labels: {kubernetes.io/service-name: s%[1]d}}
addressType: IPv4
ports: [{name: sql, port: 5432}]
endpoints:
`, i, namespace)
	for n := range 1 + c.random.IntN(4) {
		text += fmt.Sprintf("- {addresses: [10.244.%d.%d], hostname: db-%d}\n", i, 1+c.random.IntN(250), n)
	}
	return text
}
