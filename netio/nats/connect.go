package nats

import (
	"errors"
	"fmt"
	"log/slog"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// connect opens a connection that is kept up for ever, and says in the log when
// it is lost and back. reconnected may be nil.
func connect(o *Options, name string, log *slog.Logger, reconnected func()) (*client.Conn, jetstream.JetStream, error) {
	settings := append(
		o.connection(name),
		client.DisconnectErrHandler(func(_ *client.Conn, err error) {
			if err != nil {
				log.Warn("connection to NATS lost, will be tried again", "error", err)
			}
		}),
		client.ReconnectHandler(func(c *client.Conn) {
			log.Info("connected to NATS again", "server", c.ConnectedUrlRedacted())
			if reconnected != nil {
				reconnected()
			}
		}),
		client.ErrorHandler(func(_ *client.Conn, _ *client.Subscription, err error) {
			log.Warn("NATS reports a problem", "error", err)
		}),
	)
	conn, err := client.Connect(o.Servers, settings...)
	if err != nil {
		return nil, nil, fmt.Errorf("nats: %w", sanitized(err))
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncTimeout(answerTime)) // else what gets no answer is kept
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("nats: %w", err)
	}
	return conn, js, nil
}

// sanitized is an error of settings, which must not show a password.
func sanitized(err error) error {
	if errors.Is(err, client.ErrNoServers) || errors.Is(err, client.ErrInvalidConnection) {
		return errors.New("the servers of the URL are not right")
	}
	return err
}

// connected says why there is no connection, if there is none.
func connected(c *client.Conn) error {
	if c.IsConnected() {
		return nil
	}
	if err := c.LastError(); err != nil {
		return fmt.Errorf("no server can be reached: %w", err)
	}
	return errors.New("no server can be reached")
}
