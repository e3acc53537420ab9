package fastpath_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/pb"
	_ "github.com/coredns/coredns/plugin/tls"
	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/certificate"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// transportCorefile serves each transport with two server blocks, one of them below our zone.
const transportCorefile = `
SCHEME://.:PORT {
    bind 127.0.0.1
    bufsize 1300
    tls FILES
    prometheus 127.0.0.1:0
    errors
    OURS
    cache 30 cluster.local
    loadbalance
    whoami
}
SCHEME://elsewhere.svc.cluster.local:PORT {
    bind 127.0.0.1
    tls FILES
    whoami
}
`

// asker sends a question and returns the reply, both in wire form.
type asker func(packet []byte) ([]byte, error)

// askerOver returns a client of a server at a port of this machine.
func askerOver(t *testing.T, scheme, address string, config *tls.Config) asker {
	t.Helper()
	switch scheme {
	case "dns", "tls":
		return askStream(t, scheme, address, config)
	case "https":
		return askHTTP(t, address, &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true})
	case "https3":
		transport := &http3.Transport{TLSClientConfig: config}
		t.Cleanup(func() { _ = transport.Close() })
		return askHTTP(t, address, transport)
	case "quic":
		return askQUIC(t, address, config)
	}
	return askGRPC(t, address, config)
}

func askStream(t *testing.T, scheme, address string, config *tls.Config) asker {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if scheme == "tls" {
		conn = tls.Client(conn, config)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return func(packet []byte) ([]byte, error) {
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := conn.Write(prefixed(packet)); err != nil {
			return nil, err
		}
		return readPrefixed(conn)
	}
}

func prefixed(packet []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
}

func readPrefixed(r io.Reader) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(r, wire)
	return wire, err
}

func askHTTP(t *testing.T, address string, transport http.RoundTripper) asker {
	t.Helper()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	return func(packet []byte) ([]byte, error) {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, "https://"+address+"/dns-query", bytes.NewReader(packet))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/dns-message")
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		return io.ReadAll(response.Body)
	}
}

func askQUIC(t *testing.T, address string, config *tls.Config) asker {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"doq"}
	conn, err := quic.DialAddr(context.WithoutCancel(t.Context()), address, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	return func(packet []byte) ([]byte, error) {
		stream, err := conn.OpenStreamSync(context.WithoutCancel(t.Context()))
		if err != nil {
			return nil, err
		}
		_ = stream.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := stream.Write(prefixed(packet)); err != nil {
			return nil, err
		}
		_ = stream.Close()
		wire, err := io.ReadAll(stream) // the server must end the stream
		if err != nil {
			return nil, err
		}
		return readPrefixed(bytes.NewReader(wire))
	}
}

func askGRPC(t *testing.T, address string, config *tls.Config) asker {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := pb.NewDnsServiceClient(conn)
	return func(packet []byte) ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		answer, err := client.Query(ctx, &pb.DnsPacket{Msg: packet})
		if err != nil {
			return nil, err
		}
		return answer.GetMsg(), nil
	}
}

// clientPort is what the plugin whoami tells of a client.
var clientPort = regexp.MustCompile(`SRV\t0 0 \d+ \.`)

// answered is what a server has done with all questions.
type answered struct {
	texts      []string
	counted    []string
	compressed int // replies that CoreDNS would have sent without compression
}

// TestHeadOfTheChain asks the same questions over each transport, with and without the fast path:
// replies and counts are the same.
func TestHeadOfTheChain(t *testing.T) {
	files, trusted := certificate.New(t)
	config := &tls.Config{RootCAs: trusted, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	for _, scheme := range []string{"dns", "tls", "https", "https3", "quic", "grpc"} {
		t.Run(scheme, func(t *testing.T) {
			text := fastCorefile(t, strings.NewReplacer("SCHEME", scheme, "FILES", files, "PORT", "@").Replace(transportCorefile), 0)
			var got [2]answered
			for i, value := range []string{"off", ""} {
				t.Setenv(fastpath.Variable, value)
				got[i] = askOver(t, scheme, text, config)
			}
			for i, want := range got[0].texts {
				if got[1].texts[i] != want {
					t.Fatalf("with the fast path\n%s\nwithout\n%s", got[1].texts[i], want)
				}
			}
			if len(got[0].counted) < 20 || !slices.Equal(got[0].counted, got[1].counted) {
				t.Errorf("with the fast path\n%s\nwithout\n%s", strings.Join(got[1].counted, "\n"), strings.Join(got[0].counted, "\n"))
			}
			octets := slices.Contains([]string{"dns", "tls", "quic"}, scheme) // the others pack again
			if n := got[1].compressed; octets && n < 200 || got[0].compressed > 0 {
				t.Errorf("%d answers of the fast path, %d without it", n, got[0].compressed)
			}
		})
	}
}

// askOver asks a server with a Corefile whose port is @. The server goes on, so that the next one
// has the same serial.
func askOver(t *testing.T, scheme, corefile string, config *tls.Config) (got answered) {
	t.Helper()
	port := fmt.Sprint(freePort(t))
	coredns.StartTest(t, strings.ReplaceAll(corefile, "@", port))
	ask := askerOver(t, scheme, "127.0.0.1:"+port, config)
	random := rand.New(rand.NewPCG(7, 8))
	for range 1000 {
		packet := fastQuestion(random)
		packet[0], packet[1] = 0, 0 // RFC 9250 4.2.1
		wire, err := ask(packet)
		if err != nil {
			t.Fatalf("%x: %v", packet, err)
		}
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil {
			t.Fatalf("%x: %x: %v", packet, wire, err)
		}
		if len(wire) < m.Len() {
			got.compressed++
		}
		got.texts = append(got.texts, fmt.Sprintf("%x: %s", packet, clientPort.ReplaceAllString(text(m), "SRV\t0 0 PORT .")))
	}
	await.True(t, time.Minute, "all is counted", func() bool { // a handler counts after its reply is sent
		before := fmt.Sprint(got.counted)
		got.counted = metered(t, scheme+"://127.0.0.1:"+port, "coredns_dns_", "coredns_clusterdns_answers_total")
		return fmt.Sprint(got.counted) == before
	})
	return got
}
