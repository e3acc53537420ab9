package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority is the certificate authority of one cluster.
type authority struct {
	dir  string // folder for certificates and keys
	file string // the authority's own certificate
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(dir string) (*authority, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := certificateTemplate("clusterdns-test-ca")
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a := &authority{dir: dir, file: filepath.Join(dir, "ca.crt"), cert: cert, key: key}
	return a, writePEM(a.file, "CERTIFICATE", der)
}

// server issues the API server's certificate. It covers the names and addresses
// at which a client inside the cluster would reach it.
func (a *authority) server() (certFile, keyFile string, err error) {
	template := certificateTemplate("kube-apiserver")
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = []string{
		"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
	}
	template.IPAddresses = []net.IP{
		net.IPv4(127, 0, 0, 1), net.IPv6loopback, firstServiceIP(ServiceCIDRv4), firstServiceIP(ServiceCIDRv6),
	}
	return a.issue("kube-apiserver", template)
}

// client issues a certificate that identifies the user to the API server.
func (a *authority) client(user string, groups []string) (certFile, keyFile string, err error) {
	template := certificateTemplate(user)
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	template.Subject.Organization = groups
	return a.issue("client-"+template.SerialNumber.Text(16), template)
}

func (a *authority) issue(name string, template *x509.Certificate) (certFile, keyFile string, err error) {
	key, err := newKey()
	if err != nil {
		return "", "", err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return "", "", fmt.Errorf("signing certificate of %s: %w", template.Subject.CommonName, err)
	}
	certFile = filepath.Join(a.dir, name+".crt")
	if err := writePEM(certFile, "CERTIFICATE", der); err != nil {
		return "", "", err
	}
	keyFile = filepath.Join(a.dir, name+".key")
	return certFile, keyFile, writeKey(keyFile, key)
}

// certificateTemplate returns a certificate that is valid from an hour ago, in case clocks
// differ, until well after the longest test.
func certificateTemplate(commonName string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(7 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// firstServiceIP returns the address of the Service "kubernetes": the first one of the
// range.
func firstServiceIP(cidr string) net.IP {
	_, network, err := net.ParseCIDR(cidr)
	if err != nil {
		panic(err) // the ranges are constants
	}
	ip := network.IP
	ip[len(ip)-1]++
	return ip
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// newKeyFile makes the key that signs ServiceAccount tokens. The API server reads the
// public half from the same file.
func newKeyFile(path string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	return writeKey(path, key)
}

// writeKey writes the older of the two formats: kube-apiserver does not find the public
// half in a PKCS #8 file.
func writeKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
