package refcluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// storeDir returns a folder in the user's cache with a copy of etcd's folder that has all
// objects of the cluster. The first process that needs it makes it.
func storeDir(ctx context.Context, o Options) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	key, err := storeKey(ctx, o.Shape)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "clusterdns", "refcluster-"+key)
	if _, err := os.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	return dir, fillStore(ctx, o, dir)
}

// storeKey returns a hash of everything that decides the content of etcd's folder: the
// objects, and the programs that write them, whose paths have hashes of their own.
func storeKey(ctx context.Context, s Shape) (string, error) {
	binaries, err := controlplane.Build(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, command := range []string{"etcd", "kube-apiserver"} {
		fmt.Fprintln(sum, filepath.Base(filepath.Dir(binaries[command])))
	}
	if err := s.hash(sum); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

type marshaler interface{ Marshal() ([]byte, error) }

// hash writes every object to the sum.
func (s Shape) hash(sum hash.Hash) error {
	for i := range s.Namespaces {
		if err := hashObject(sum, s.namespace(i)); err != nil {
			return err
		}
	}
	for i := range s.Services {
		if err := hashObject(sum, s.service(i)); err != nil {
			return err
		}
		for _, slice := range s.slices(i) {
			if err := hashObject(sum, slice); err != nil {
				return err
			}
		}
	}
	for i := range s.Pods {
		if err := hashObject(sum, s.pod(i)); err != nil {
			return err
		}
	}
	return nil
}

func hashObject(sum hash.Hash, object marshaler) error {
	data, err := object.Marshal()
	if err != nil {
		return err
	}
	fmt.Fprintln(sum, len(data))
	_, err = sum.Write(data)
	return err
}

// fillStore fills a folder beside the final one and renames it at the end, so that the
// final one is always complete.
func fillStore(ctx context.Context, o Options, dir string) error {
	log.Printf("loading %s (first time only)", o.Shape)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "refcluster-loading-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := loadInto(ctx, o, work); err != nil {
		return fmt.Errorf("loading the cluster: %w", err)
	}
	err = os.Rename(filepath.Join(work, "etcd"), dir)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		return nil
	}
	return err
}

func loadInto(ctx context.Context, o Options, work string) error {
	cluster, err := controlplane.Start(ctx, controlplane.Options{Dir: work})
	if err != nil {
		return err
	}
	defer cluster.Stop()
	client, err := Client(cluster.RESTConfig())
	if err != nil {
		return err
	}
	return (&loader{shape: o.Shape, client: client}).run(ctx)
}

// start starts a cluster with a copy of the loaded data.
func start(ctx context.Context, o Options) (*controlplane.Cluster, error) {
	store, err := storeDir(ctx, o)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := os.CopyFS(filepath.Join(o.Dir, "etcd"), os.DirFS(store)); err != nil {
		return nil, err
	}
	log.Printf("copied %s in %s", store, time.Since(began).Round(time.Second/10))
	return controlplane.Start(ctx, controlplane.Options{Dir: o.Dir, DisableStreamingLists: o.Plain})
}
