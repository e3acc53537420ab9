package corefile

import "github.com/coredns/caddy/caddyfile"

// Obstacle is a line of the Corefile because of which our sockets do not answer.
type Obstacle struct {
	At  caddyfile.Token // its file is empty for the Corefile itself
	err error
}

// Error implements error.
func (o *Obstacle) Error() string { return o.err.Error() }

// Unwrap returns the reason.
func (o *Obstacle) Unwrap() error { return o.err }

// Obstacle returns the obstacle that a directive of the block is.
func (b *Block) Obstacle(directive string, err error) error {
	tokens := b.Tokens[directive]
	if len(tokens) == 0 {
		return err
	}
	return &Obstacle{tokens[0], err}
}

// obstacle returns the obstacle that the line is which a rule has read last, or else its directive.
func (b *Block) obstacle(rc *ruleContext, err error) error {
	if rc.reading == nil || rc.reading.Line() == 0 {
		return b.Obstacle(rc.handler.Name(), err)
	}
	return &Obstacle{caddyfile.Token{File: rc.reading.File(), Line: rc.reading.Line()}, err}
}
