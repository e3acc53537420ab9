package live

import (
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

const routeDefinition = "httproutes.gateway.networking.k8s.io"

// TestGatewayVersions changes the versions that the API server has of HTTPRoute while the server
// runs, as somebody who upgrades the Gateway API does, or goes back. An API server may have neither for a
// moment. The names that are known stay all the while.
func TestGatewayVersions(t *testing.T) {
	c := startCluster(t, controlplane.Options{})
	c.apply(t, definitions(t)...)
	c.apply(t, ingressAndService, gatewayObject("{from: All}", "192.0.2.60"), routeObject("HTTPRoute", "old.example.org", frontRef, "True"))
	c.serveVersions(t, routeDefinition, "v1beta1")
	s := start(t, gatewayBlock(c.publisher(t, "versions", publishers...).direct(t)))
	old := answers{"A old.example.org": "NOERROR 192.0.2.60"}
	s.await(t, old)
	l := s.load(t, old)
	missing := func() int { return len(logged.mentioning("plugin/k8s_gateway", "the API server has no httproutes.")) }
	before := missing()
	c.serveVersions(t, routeDefinition)
	eventually(t, func() error {
		if missing() == before {
			return errors.New("no line says that the API server has no routes")
		}
		return nil
	})
	for _, version := range []string{"v1", "v1beta1"} {
		c.serveVersions(t, routeDefinition, version)
		host := version + ".example.org"
		route := routeObject("HTTPRoute", host, frontRef, "True")
		route = strings.Replace(route, "networking.k8s.io/v1\n", "networking.k8s.io/"+version+"\n", 1)
		eventually(t, func() error { return c.Apply(t.Context(), []byte(route)) })
		s.await(t, answers{"A " + host: "NOERROR 192.0.2.60"})
	}
	l.finish(t)
}

// serveVersions makes the API server have these versions alone of a CustomResourceDefinition.
func (c *cluster) serveVersions(t *testing.T, name string, served ...string) {
	t.Helper()
	definitions := c.dynamic.Resource(definitionResource)
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		definition, err := definitions.Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		versions, _, err := unstructured.NestedSlice(definition.Object, "spec", "versions")
		if err != nil {
			return err
		}
		for _, v := range versions {
			version := v.(map[string]any)
			version["served"] = slices.Contains(served, version["name"].(string))
		}
		if err := unstructured.SetNestedSlice(definition.Object, versions, "spec", "versions"); err != nil {
			return err
		}
		_, err = definitions.Update(t.Context(), definition, metav1.UpdateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
