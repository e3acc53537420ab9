package controlplane

import (
	"context"
	"fmt"
	"strings"
)

// startControllerManager starts the controllers of the options, if any. They survive a
// restart of the API server.
func (c *Cluster) startControllerManager(ctx context.Context) error {
	if len(c.options.Controllers) == 0 {
		return nil
	}
	kubeconfig, err := c.Kubeconfig(c.Admin())
	if err != nil {
		return err
	}
	args := []string{
		"--kubeconfig=" + kubeconfig,
		"--controllers=" + strings.Join(c.options.Controllers, ","),
		"--leader-elect=false", // there is only one, and a lease would delay a restart
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", c.controllerManagerPort.number),
		"--tls-cert-file=" + c.servingCrt,
		"--tls-private-key-file=" + c.servingKey,
		"--service-account-private-key-file=" + c.serviceAccountKey(),
		"--root-ca-file=" + c.CAFile(),
	}
	manager, err := c.startProcess(controllerManagerCommand, append(args, c.options.ControllerManagerArgs...)...)
	if err != nil {
		return err
	}
	c.controllerManager = manager
	return manager.AwaitReady(ctx, func(ctx context.Context) error {
		return c.get(ctx, c.controllerManagerPort.url("https")+"/healthz", "")
	})
}
