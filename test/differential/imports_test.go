package differential

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
)

const importsPath = "/apis/multicluster.x-k8s.io/v1alpha1"

// serviceImport is a ServiceImport, as far as DNS is concerned.
type serviceImport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              importSpec `json:"spec"`
}

type importSpec struct {
	Type  string       `json:"type"`
	IPs   []string     `json:"ips,omitempty"`
	Ports []importPort `json:"ports,omitempty"`
}

type importPort struct {
	Name     string          `json:"name,omitempty"`
	Protocol corev1.Protocol `json:"protocol,omitempty"`
	Port     int32           `json:"port"`
}

const (
	clusterSetIP     = "ClusterSetIP"
	headlessImport   = "Headless"
	importKind       = "ServiceImport"
	importAPIVersion = "multicluster.x-k8s.io/v1alpha1"
)

// DeepCopyObject implements runtime.Object.
func (i *serviceImport) DeepCopyObject() runtime.Object {
	same := *i
	i.DeepCopyInto(&same.ObjectMeta)
	return &same
}

func newImport(namespace, name string, spec importSpec) *serviceImport {
	return &serviceImport{metav1.TypeMeta{Kind: importKind, APIVersion: importAPIVersion}, meta(namespace, name), spec}
}

func createImport(ctx context.Context, client kubernetes.Interface, i *serviceImport) error {
	body, err := json.Marshal(i)
	if err != nil {
		return err
	}
	path := fmt.Sprintf("%s/namespaces/%s/serviceimports", importsPath, i.Namespace)
	return client.CoreV1().RESTClient().Post().AbsPath(path).Body(body).SetHeader("Content-Type", "application/json").Do(ctx).Error()
}

func (w *world) readImports(ctx context.Context, client kubernetes.Interface) error {
	text, err := client.CoreV1().RESTClient().Get().AbsPath(importsPath + "/serviceimports").DoRaw(ctx)
	if err != nil {
		return err
	}
	var list struct {
		Items []*serviceImport `json:"items"`
	}
	err = json.Unmarshal(text, &list)
	w.imports = list.Items
	return err
}

// clusterSet returns the world as a zone of the cluster set shows it: ServiceImports are
// the Services, with slices of their own.
func (w *world) clusterSet() *world {
	set := &world{namespaces: w.namespaces, services: map[string]*corev1.Service{}}
	for _, i := range w.imports {
		s := &corev1.Service{ObjectMeta: i.ObjectMeta, Spec: corev1.ServiceSpec{ClusterIPs: i.Spec.IPs, ClusterIP: corev1.ClusterIPNone}}
		if i.Spec.Type != headlessImport && len(i.Spec.IPs) > 0 {
			s.Spec.ClusterIP = i.Spec.IPs[0]
		}
		for _, port := range i.Spec.Ports {
			s.Spec.Ports = append(s.Spec.Ports, servicePort{Name: port.Name, Protocol: port.Protocol, Port: port.Port})
		}
		set.services[i.Name+"."+i.Namespace] = s
	}
	for _, slice := range w.slices {
		if name, ok := slice.Labels[clusterSetService]; ok {
			own := slice.DeepCopy()
			own.Labels = map[string]string{discoveryv1.LabelServiceName: name}
			maps.Copy(own.Labels, map[string]string{clusterSetCluster: slice.Labels[clusterSetCluster]})
			set.slices = append(set.slices, own)
		}
	}
	return set
}
