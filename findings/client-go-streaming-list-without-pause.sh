#!/usr/bin/env bash
# Software: k8s.io/client-go v0.37.1, tools/cache Reflector with streaming lists (WatchListClient, on by default).
#
# Expected: a reflector whose streaming list ends before its bookmark waits before the next one, as it does after an
# error, or reads a plain list, as it does where the server has no streaming lists.
#
# Seen: it begins the next one at once, for ever. A watch that has brought an event and ends in good order is no error,
# so neither the backoff nor the fallback is reached. Nothing but the client's own rate limit, which does not hold for
# watches, keeps it from hundreds of requests a second, and nothing is logged below verbosity 4.
#
# The script needs Go and the Go module proxy. It succeeds if all that is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

func main() {
	var streamed, listed atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch query := r.URL.Query(); {
		case query.Get("sendInitialEvents") == "true": // one object of the list, and then the end
			streamed.Add(1)
			fmt.Fprintln(w, `{"type":"ADDED","object":{"kind":"Service","apiVersion":"v1","metadata":{"name":"a","namespace":"b","resourceVersion":"5"}}}`)
		case query.Get("watch") == "true":
			<-r.Context().Done()
		default:
			listed.Add(1)
			fmt.Fprint(w, `{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"7"},"items":[]}`)
		}
	}))
	client := kubernetes.NewForConfigOrDie(&rest.Config{Host: api.URL})
	lw := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "services", "", fields.Everything())
	store := cache.NewStore(cache.MetaNamespaceKeyFunc)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cache.NewReflectorWithOptions(lw, new(corev1.Service), store, cache.ReflectorOptions{}).RunWithContext(ctx)
	fmt.Printf("in 5 s: %d streaming lists, %d plain ones, %d objects stored\n", streamed.Load(), listed.Load(), len(store.List()))
	if streamed.Load() < 100 || listed.Load() > 0 {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}
GO
cat >go.mod <<'MOD'
module finding

go 1.26.0

require (
	k8s.io/api v0.37.1
	k8s.io/apimachinery v0.37.1
	k8s.io/client-go v0.37.1
)
MOD
go mod tidy 2>/dev/null
go run .
