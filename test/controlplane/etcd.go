package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
)

func (c *Cluster) startEtcd(ctx context.Context) error {
	client, peer := c.etcdPort.url("http"), c.etcdPeerPort.url("http")
	etcd, err := c.startProcess(etcdCommand,
		"--name=test",
		"--data-dir="+c.etcdDir(),
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=test="+peer,
		"--unsafe-no-fsync",                // the data need not survive a crash of the machine
		"--quota-backend-bytes=8589934592", // room for large clusters
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	c.etcd = etcd
	return etcd.AwaitReady(ctx, func(ctx context.Context) error {
		return c.get(ctx, client+"/readyz", "")
	})
}

func (c *Cluster) etcdDir() string { return filepath.Join(c.dir, "etcd") }

// StopEtcd takes away the API server's storage. The API server keeps running and serves
// watches from its memory, but it refuses writes and fails its readiness check. Etcd is
// killed, which loses no data, because a regular stop takes seconds while the API server
// watches.
func (c *Cluster) StopEtcd() { c.etcd.Kill() }

// RestartEtcd starts etcd with the data it had, at the same address. It returns
// when the API server, if it runs, is ready again.
func (c *Cluster) RestartEtcd(ctx context.Context) error {
	c.etcd.Kill()
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if !c.apiServer.Running() {
		return nil
	}
	return c.awaitAPIServer(ctx)
}

// ReplaceEtcd restarts the cluster with empty storage, at the same addresses and with the
// same authority: resource versions begin anew, and all objects are new. A client sees
// another cluster at the first one's address.
func (c *Cluster) ReplaceEtcd(ctx context.Context) error {
	c.controllerManager.Kill()
	c.apiServer.Kill()
	c.etcd.Kill()
	if err := os.RemoveAll(c.etcdDir()); err != nil {
		return err
	}
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	c.mapper.Reset()
	return c.startControllerManager(ctx)
}

// Compact makes etcd forget the history of its keys, so that a watch cannot begin at any
// resource version that a client has seen until now (410 Gone).
//
// The API server's watch cache still has recent versions. A restart empties it, and with
// Options.DisableWatchCache there is none.
func (c *Cluster) Compact(ctx context.Context) error {
	// A watch from version v reads the revisions from v+1 on, and compacting at r drops
	// those below r. Two marker writes leave a gap between the last version of an object
	// and r, so that the last version is dropped too.
	var revision string
	for range 2 {
		var err error
		if revision, err = c.putMarker(ctx); err != nil {
			return fmt.Errorf("compacting etcd: %w", err)
		}
	}
	request := map[string]any{"revision": revision, "physical": true}
	if _, err := c.callEtcd(ctx, "compaction", request); err != nil {
		return fmt.Errorf("compacting etcd: %w", err)
	}
	return nil
}

// putMarker writes a key that Kubernetes does not read, and returns the
// store's revision.
func (c *Cluster) putMarker(ctx context.Context) (revision string, err error) {
	// []byte is base64 in JSON, as etcd wants keys.
	body, err := c.callEtcd(ctx, "put", map[string]any{"key": []byte("clusterdns/compaction")})
	if err != nil {
		return "", err
	}
	var reply struct {
		Header struct{ Revision string }
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return "", fmt.Errorf("reply to put: %w", err)
	}
	return reply.Header.Revision, nil
}

// callEtcd uses etcd's JSON gateway, so that this package does not need etcd's client.
func (c *Cluster) callEtcd(ctx context.Context, method string, request any) ([]byte, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	url := c.etcdPort.url("http") + "/v3/kv/" + method
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(post)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %s", method, response.Status, reply)
	}
	return reply, nil
}
