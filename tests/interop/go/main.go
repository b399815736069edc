// One session of github.com/jlaffaye/ftp over TLS: stores files, lists, fetches them as got-NAME, lists again.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"github.com/jlaffaye/ftp"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 7 {
		return errors.New("usage: HOST PORT USER CA VERSION reuse|anew EPSV|PASV NAME...")
	}
	host, port, user, passive, names := args[0], args[1], args[2], args[6], args[7:]
	config, err := tlsConfig(host, args[3], args[4], args[5] == "reuse")
	if err != nil {
		return err
	}
	connection, err := ftp.Dial(host+":"+port, ftp.DialWithExplicitTLS(config), ftp.DialWithTimeout(20*time.Second),
		ftp.DialWithDisabledEPSV(passive == "PASV"), ftp.DialWithDebugOutput(dialogue{}))
	if err != nil {
		return err
	}
	if err := connection.Login(user, os.Getenv("SAFETP_PASSWORD")); err != nil {
		return err
	}
	for _, step := range []func(*ftp.ServerConn, []string) error{store, list, fetch, list} {
		if err := step(connection, names); err != nil {
			return err
		}
	}
	return connection.Quit()
}

func tlsConfig(host, authority, version string, reuse bool) (*tls.Config, error) {
	certificate, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	number := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[version]
	config := &tls.Config{ServerName: host, RootCAs: roots, MinVersion: number, MaxVersion: number}
	if reuse {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return config, nil
}

func store(connection *ftp.ServerConn, names []string) error {
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := connection.Stor(name, bytes.NewReader(content)); err != nil {
			return err
		}
	}
	return nil
}

func list(connection *ftp.ServerConn, _ []string) error {
	entries, err := connection.List("")
	for _, entry := range entries {
		fmt.Println(entry.Name)
	}
	return err
}

func fetch(connection *ftp.ServerConn, names []string) error {
	for _, name := range names {
		response, err := connection.Retr(name)
		if err != nil {
			return err
		}
		content, err := io.ReadAll(response)
		if err := errors.Join(err, response.Close()); err != nil {
			return err
		}
		if err := os.WriteFile("got-"+name, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// dialogue marks the replies in what the library shows of the control connection, and writes them to standard error.
type dialogue struct{}

var reply = regexp.MustCompile(`(?m)^\d{3}[ -]`)

func (dialogue) Write(octets []byte) (int, error) {
	_, err := os.Stderr.Write(reply.ReplaceAll(octets, []byte("< $0")))
	return len(octets), err
}
