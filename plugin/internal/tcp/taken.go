package tcp

import (
	"net"
	"reflect"
	"time"
	"unsafe"

	"github.com/miekg/dns"
)

// Take serves a connection whose first question CoreDNS has read, until the connection ends. It
// reports false at once if CoreDNS must go on to read it.
func (s *Server) Take(w dns.ResponseWriter, first *dns.Msg) bool {
	if !s.Takes || s.paused.Load() {
		return false
	}
	conn := connectionOf(w)
	if conn == nil {
		return false
	}
	client, ok := clientOf(conn.RemoteAddr())
	if !ok || conn.SetReadDeadline(time.Time{}) != nil {
		return false
	}
	if s.paused.Load() { // CoreDNS may have set the limit that is gone now
		_ = conn.SetReadDeadline(past)
		return false
	}
	c := newConnection(s, w, conn, client)
	s.Crowd.join(c)
	c.run(first)
	s.Crowd.leave(c)
	_ = w.Close() // otherwise CoreDNS would read on
	return true
}

// past is a time limit that ends reads at once.
var past = time.Unix(1, 0)

// connectionOf returns the connection of one of miekg/dns's writers, nil if that has none or looks
// other than we know it. That package hands a connection to nobody, and reads no question while it waits
// for the answer to another.
func connectionOf(w dns.ResponseWriter) net.Conn {
	v := reflect.ValueOf(w)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || v.Elem().Type().PkgPath() != writerPackage {
		return nil
	}
	field := v.Elem().FieldByName("tcp")
	if !field.IsValid() || field.Type() != reflect.TypeFor[net.Conn]() {
		return nil
	}
	return *(*net.Conn)(unsafe.Pointer(field.UnsafeAddr()))
}

var writerPackage = reflect.TypeFor[dns.Msg]().PkgPath()
