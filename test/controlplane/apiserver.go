package controlplane

import (
	"context"
	"fmt"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readyPaths answer 200 OK when a client can use the API server. Its own readiness check
// does not wait for the namespaces and the Service that it creates.
var readyPaths = []string{
	"/readyz",
	"/api/v1/namespaces/default/services/kubernetes",
	"/api/v1/namespaces/kube-system",
}

func (c *Cluster) startAPIServer(ctx context.Context) error {
	apiServer, err := c.startProcess(apiServerCommand, c.apiServerArgs()...)
	if err != nil {
		return err
	}
	c.apiServer = apiServer
	return c.awaitAPIServer(ctx)
}

func (c *Cluster) awaitAPIServer(ctx context.Context) error {
	return c.apiServer.AwaitReady(ctx, func(ctx context.Context) error {
		for _, path := range readyPaths {
			if err := c.get(ctx, c.URL()+path, c.token); err != nil {
				return err
			}
		}
		return c.allocates(ctx)
	})
}

// allocates returns nil if a new Service would get addresses. After a restart the API
// server is ready before it knows its ranges.
func (c *Cluster) allocates(ctx context.Context) error {
	svc := &corev1.Service{ObjectMeta: metav1.ObjectMeta{GenerateName: "trial-"}}
	svc.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	svc.Spec.IPFamilyPolicy = new(corev1.IPFamilyPolicyRequireDualStack)
	_, err := c.client.CoreV1().Services(metav1.NamespaceDefault).Create(ctx, svc, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

func (c *Cluster) apiServerArgs() []string {
	args := []string{
		"--etcd-servers=" + c.etcdPort.url("http"),
		fmt.Sprintf("--secure-port=%d", c.apiServerPort.number),
		"--service-cluster-ip-range=" + ServiceCIDRv4 + "," + ServiceCIDRv6,
		"--tls-cert-file=" + c.servingCrt,
		"--tls-private-key-file=" + c.servingKey,
		"--client-ca-file=" + c.CAFile(),
		"--token-auth-file=" + c.tokenFile(),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.serviceAccountKey(),
		"--service-account-signing-key-file=" + c.serviceAccountKey(),
		"--shutdown-watch-termination-grace-period=1s", // otherwise open watches delay StopAPIServer by a minute
		"--allow-privileged=true",
		"--profiling=false",
	}
	args = append(args, c.addressArgs()...)
	if c.options.DisableStreamingLists {
		args = append(args, "--feature-gates=WatchList=false")
	}
	if c.options.DisableWatchCache {
		args = append(args, "--watch-cache=false")
	}
	return append(args, c.options.APIServerArgs...)
}

func (c *Cluster) addressArgs() []string {
	if node := c.options.NodeAddress; node.IsValid() {
		return []string{"--bind-address=0.0.0.0", "--advertise-address=" + node.String(), "--kubelet-preferred-address-types=InternalIP"}
	}
	return []string{
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",            // an endpoint must not be a loopback address
		"--disable-admission-plugins=ServiceAccount", // otherwise there is no Pod without the controller
	}
}

func (c *Cluster) serviceAccountKey() string { return filepath.Join(c.keyDir, "service-account.key") }

// URL returns the API server's address, which stays the same for the life of the cluster.
func (c *Cluster) URL() string { return c.apiServerPort.url("https") }

// APIServerID returns the ID of the API server's process.
func (c *Cluster) APIServerID() int { return c.apiServer.ID() }

// KillAPIServer ends the API server as a crash would: connections break.
func (c *Cluster) KillAPIServer() { c.apiServer.Kill() }

// StopAPIServer lets the API server end in order: it finishes requests and
// closes watches.
func (c *Cluster) StopAPIServer() error { return c.apiServer.Stop() }

// RestartAPIServer starts the API server at the same address and waits until it serves. If
// it runs, it is killed first.
func (c *Cluster) RestartAPIServer(ctx context.Context) error {
	c.apiServer.Kill()
	return c.startAPIServer(ctx)
}
