package slimpb

import (
	"bytes"
	"io"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

var serviceKind = corev1.SchemeGroupVersion.WithKind("Service")

func serviceObject(name, address string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name},
		Spec:       corev1.ServiceSpec{ClusterIP: address},
	}
}

// encode returns an object as a message, like an API server.
func encode(obj runtime.Object) []byte {
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	message, err := runtime.Encode(info.Serializer, obj)
	if err != nil {
		panic(err)
	}
	return message
}

// serviceSerializer returns the serializer that decodes Services from protobuf.
func serviceSerializer() runtime.SerializerInfo {
	c := Codecs(scheme.Codecs.WithoutConversion(), serviceKind, Service)
	info, _ := runtime.SerializerInfoForMediaType(c.SupportedMediaTypes(), runtime.ContentTypeProtobuf)
	return info
}

// The decoders of Kubernetes decode everything but objects of the kind.
func TestSerializer(t *testing.T) {
	info := serviceSerializer()
	decode := func(obj runtime.Object, into runtime.Object) runtime.Object {
		t.Helper()
		got, _, err := info.Serializer.Decode(encode(obj), nil, into)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	service := serviceObject("web", "10.0.0.1")
	service.Labels = map[string]string{"app": "web"}
	service.SetGroupVersionKind(serviceKind)
	if got := decode(service, nil).(*corev1.Service); got.Labels != nil || got.Spec.ClusterIP != "10.0.0.1" {
		t.Errorf("%+v", got)
	}
	if got := decode(service, new(corev1.Service)).(*corev1.Service); got.Labels == nil {
		t.Error("a caller's own object is not whole")
	}
	status := &metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Message: "no"}
	if got := decode(status, nil).(*metav1.Status); got.Message != "no" {
		t.Errorf("%+v", got)
	}
}

// message returns the object's own message, without the envelope.
func message(t *testing.T, obj interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	raw, err := obj.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestLabelsOfServices(t *testing.T) {
	s := serviceObject("web", "10.0.0.1")
	s.Labels = map[string]string{"app": "web", LabelIgnore: "true"}
	for _, tc := range []struct {
		decode Decoder
		want   int
	}{{Service, 1}, {ServiceWithLabels, 2}} {
		got, err := tc.decode(message(t, s))
		if err != nil || len(got.(*corev1.Service).Labels) != tc.want {
			t.Errorf("%+v: %v", got, err)
		}
	}
}

func TestNode(t *testing.T) {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{LabelIgnore: "true", "zone": "b"}}}
	n.Status.Addresses = []corev1.NodeAddress{{Type: "Hostname", Address: "node-1"}, {Type: "InternalIP", Address: "10.0.0.1"}}
	n.Status.Images = []corev1.ContainerImage{{Names: []string{"large"}}}
	got, err := Node(message(t, n))
	if err != nil {
		t.Fatal(err)
	}
	node := got.(*corev1.Node)
	if node.Name != "a" || len(node.Labels) != 1 || len(node.Status.Addresses) != 2 || node.Status.Addresses[1] != n.Status.Addresses[1] || node.Status.Images != nil {
		t.Errorf("%+v", node)
	}
}

func TestSerializerErrors(t *testing.T) {
	info := serviceSerializer()
	service := serviceObject("web", "10.0.0.1")
	service.SetGroupVersionKind(serviceKind)
	good := encode(service)
	for name, data := range map[string][]byte{
		"no object":   []byte("{}"),
		"nothing":     nil,
		"cut off":     good[:len(good)-3],
		"a bad field": bytes.Replace(good, []byte("web"), []byte{3, 0xff, 0xff}, 1)[:20],
	} {
		if obj, _, err := info.Serializer.Decode(data, nil, nil); err == nil {
			t.Errorf("%s: %v", name, obj)
		}
	}
	if _, _, err := info.StreamSerializer.Decode([]byte{0xff}, nil, new(metav1.WatchEvent)); err == nil {
		t.Error("an event of one byte")
	}
}

// A list is read to its end, and a list that is cut off anywhere is an error.
func TestListReader(t *testing.T) {
	list := &corev1.ServiceList{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceList"},
		ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "more", RemainingItemCount: new(int64(3))},
		Items:    []corev1.Service{*serviceObject("a", "10.0.0.1"), {}, *serviceObject("bb", "10.0.0.2")},
	}
	data := encode(list)
	read := func(data []byte) (names []string, about metav1.ListMeta, err error) {
		about, err = readProtobuf(bytes.NewReader(data), "ServiceList", Service, func(obj metav1.Object) { names = append(names, obj.GetName()) })
		return names, about, err
	}
	names, about, err := read(data)
	if err != nil || strings.Join(names, ",") != "a,,bb" || about.ResourceVersion != "7" || about.Continue != "more" {
		t.Errorf("%q, %+v, %v", names, about, err)
	}
	// The last four octets are two empty strings, which may be missing.
	for cut := range len(data) - 4 {
		if names, _, err := read(data[:cut]); err == nil {
			t.Fatalf("the first %d of %d bytes are a list of %q", cut, len(data), names)
		}
	}
}

// C13: a list of another kind is refused before anything of it is put.
func TestC13ListOfAnotherKind(t *testing.T) {
	pods := &corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: []corev1.Pod{{}}}
	_, err := readProtobuf(bytes.NewReader(encode(pods)), "ServiceList", Service, func(metav1.Object) { t.Error("put") })
	if err == nil || !strings.Contains(err.Error(), `expected an object of kind ServiceList, found kind "PodList"`) {
		t.Error(err)
	}
}

func FuzzListReader(f *testing.F) {
	list := &corev1.ServiceList{Items: []corev1.Service{*serviceObject("a", "10.0.0.1"), {}}}
	list.SetGroupVersionKind(schema.GroupVersionKind{Version: "v1", Kind: "ServiceList"})
	f.Add(encode(list))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		_, err := readProtobuf(io.MultiReader(bytes.NewReader(data)), "ServiceList", Service, func(metav1.Object) { n++ })
		whole := new(corev1.ServiceList)
		if _, raw, broken := openEnvelope(data); broken == nil && raw != nil && whole.Unmarshal(raw) == nil {
			if err == nil && n != len(whole.Items) {
				t.Errorf("%d objects, want %d", n, len(whole.Items))
			}
		}
	})
}
