package refcluster

import (
	"context"
	"fmt"
	"log"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// Options of a cluster.
type Options struct {
	Shape Shape
	Dir   string // folder for etcd's data, keys and logs; the caller removes it
	Plain bool   // the API server refuses streaming lists
}

// Cluster is a running control plane with all objects.
type Cluster struct {
	*controlplane.Cluster
	Shape  Shape
	API    *kubernetes.Clientset
	Config string // path of the kubeconfig of a user that may do everything
}

// Start starts a cluster. The context limits only the start; Stop ends the cluster.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	running, err := start(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Cluster: running, Shape: o.Shape}
	if err := c.connect(); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) connect() (err error) {
	if c.API, err = Client(c.RESTConfig()); err != nil {
		return err
	}
	c.Config, err = c.Kubeconfig(c.Admin())
	return err
}

// Warm makes the API server read all objects into its watch cache, as in a cluster that has
// run for a while.
func (c *Cluster) Warm(ctx context.Context) error {
	for _, resource := range []struct {
		client rest.Interface
		name   string
	}{
		{c.API.CoreV1().RESTClient(), "namespaces"},
		{c.API.CoreV1().RESTClient(), "services"},
		{c.API.CoreV1().RESTClient(), "pods"},
		{c.API.DiscoveryV1().RESTClient(), "endpointslices"},
	} {
		began := time.Now()
		_, err := resource.client.Get().Resource(resource.name).Param("resourceVersion", "0").DoRaw(ctx)
		if err != nil {
			return fmt.Errorf("listing %s: %w", resource.name, err)
		}
		if took := time.Since(began); took > time.Second {
			log.Printf("listing %s took %s", resource.name, took.Round(time.Second/10))
		}
	}
	return nil
}
