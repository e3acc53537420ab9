package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"
)

// changeInterval is how often the cluster of apiServer changes.
const changeInterval = 200 * time.Millisecond

// startAPIServer starts an API server with a few objects, of which one changes all the time,
// and returns its address. It does what our server needs of one, and nothing more.
func startAPIServer(t *testing.T) string {
	t.Helper()
	return startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		kind := path.Base(r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("watch") == "" {
			_ = json.NewEncoder(w).Encode(list(kind))
			return
		}
		watch(w, r, kind)
	})
}

// startForbidding starts an API server that refuses every request.
func startForbidding(t *testing.T) string {
	t.Helper()
	return startHTTP(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": http.StatusForbidden})
	})
}

func startHTTP(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

type object = map[string]any

// kinds are the objects of each resource, with the name of their kind.
var kinds = map[string]struct {
	apiVersion, kind string
	objects          []object
}{
	"namespaces": {"v1", "Namespace", []object{{"metadata": meta("", "shop")}}},
	"services": {"v1", "Service", []object{
		{"metadata": meta("shop", "web"), "spec": object{"type": "ClusterIP", "clusterIP": "10.96.20.80", "clusterIPs": []string{"10.96.20.80"}}},
		{"metadata": meta("shop", "db"), "spec": object{"type": "ClusterIP", "clusterIP": "None", "clusterIPs": []string{"None"}}},
	}},
	"endpointslices": {"discovery.k8s.io/v1", "EndpointSlice", []object{slice(0)}},
	"pods":           {"v1", "Pod", nil},
}

func meta(namespace, name string) object {
	return object{"namespace": namespace, "name": name, "uid": namespace + "-" + name, "resourceVersion": "1"}
}

// slice is the slice of the Service db after some changes.
func slice(change int) object {
	m := meta("shop", "db-x")
	m["resourceVersion"] = fmt.Sprint(change + 2)
	m["labels"] = object{"kubernetes.io/service-name": "db"}
	m["annotations"] = object{"endpoints.kubernetes.io/last-change-trigger-time": time.Now().UTC().Format(time.RFC3339Nano)}
	return object{"metadata": m, "addressType": "IPv4", "endpoints": []object{
		{"addresses": []string{fmt.Sprintf("10.244.1.%d", change%200+1)}, "conditions": object{"ready": true}},
	}}
}

func list(resource string) object {
	k := kinds[resource]
	return object{"apiVersion": k.apiVersion, "kind": k.kind + "List", "metadata": object{"resourceVersion": "1"}, "items": append([]object{}, k.objects...)}
}

// watch sends the objects first if the client asks for that, and then the changes.
func watch(w http.ResponseWriter, r *http.Request, resource string) {
	k := kinds[resource]
	send := func(event string, o object) {
		typed := object{"apiVersion": k.apiVersion, "kind": k.kind}
		for field, value := range o {
			typed[field] = value
		}
		_ = json.NewEncoder(w).Encode(object{"type": event, "object": typed})
		_ = http.NewResponseController(w).Flush()
	}
	if strings.EqualFold(r.URL.Query().Get("sendInitialEvents"), "true") {
		for _, o := range k.objects {
			send("ADDED", o)
		}
		send("BOOKMARK", object{"metadata": object{"resourceVersion": "1", "annotations": object{"k8s.io/initial-events-end": "true"}}})
	}
	changes := time.NewTicker(changeInterval)
	defer changes.Stop()
	for change := 1; ; change++ {
		select {
		case <-r.Context().Done():
			return
		case <-changes.C:
			if resource == "endpointslices" {
				send("MODIFIED", slice(change))
			}
		}
	}
}
