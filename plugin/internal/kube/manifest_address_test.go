package kube

import (
	"testing"
)

// Kubernetes accepts leading zeros in addresses of old objects, and reads the numbers as
// decimal.
func TestA6LeadingZeros(t *testing.T) {
	f := serve(t, Config{Pods: true, MultiCluster: true}, map[string]string{"a.yaml": `
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.096.000.001, externalIPs: [192.000.002.007]}, status: {loadBalancer: {ingress: [{ip: 198.051.100.007}]}}}
---
{apiVersion: v1, kind: Service, metadata: {name: mail, namespace: shop}, spec: {clusterIPs: ["010.96.0.2", "fd00::0:2"]}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {clusterIP: None}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-x, namespace: shop, labels: {kubernetes.io/service-name: db}}, addressType: IPv4, endpoints: [{addresses: [10.244.001.031]}]}
---
{apiVersion: v1, kind: Pod, metadata: {name: db-0, namespace: shop}, status: {phase: Running, podIP: 10.244.001.032}}
---
{apiVersion: multicluster.x-k8s.io/v1beta1, kind: ServiceImport, metadata: {name: web, namespace: shop}, spec: {type: ClusterSetIP, ips: [10.042.0.1]}}
`})
	f.expect(web, typeA, "10.96.0.1")
	f.expect("mail.shop.svc.cluster.local.", typeA, "10.96.0.2")
	f.expect("db.shop.svc.cluster.local.", typeA, "10.244.1.31")
	f.expect("10-244-1-32.shop.pod.cluster.local.", typeA, "10.244.1.32")
}
