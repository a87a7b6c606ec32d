package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTime bounds how long a process may take until it serves; recovery of a
// large database included.
const startTime = time.Minute

// process is a child that serves HTTP and says where in its first line, "... on
// http://ADDRESS".
type process struct {
	cmd   *exec.Cmd
	addr  string
	in    io.WriteCloser
	out   *bufio.Reader
	log   *logTail
	ended chan error
}

// start runs the program and waits for its first line. env is added to ours,
// without what would set the server up.
func start(ctx context.Context, program string, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), log: &logTail{}, ended: make(chan error, 1)}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "DOORSTEP_") && !strings.HasPrefix(variable, "GOOGLE_APPLICATION_CREDENTIALS=") {
			p.cmd.Env = append(p.cmd.Env, variable)
		}
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stderr = p.log
	out, write, err := os.Pipe() // not StdoutPipe, which Wait would close under a reader
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	p.cmd.Stdout = write
	p.in, err = p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	_ = write.Close() // a child that runs has its own
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", args[0], err), out.Close())
	}
	go func() { p.ended <- p.cmd.Wait() }()
	line := make(chan string, 1)
	go func() {
		text, _ := p.out.ReadString('\n') // an error shows as a line without an address
		line <- text
	}()
	select {
	case text := <-line:
		_, rest, ok := strings.Cut(text, "http://")
		if fields := strings.Fields(rest); ok && len(fields) > 0 {
			p.addr = fields[0]
			return p, nil
		}
	case <-time.After(startTime):
	}
	return nil, fmt.Errorf("%s does not start: %s", args[0], p.kill())
}

// kill ends a process that went wrong and gives the end of its log.
func (p *process) kill() string {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
	return p.log.String()
}

// stop asks the process to end in order and waits.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("%s has ended already: %s", p.cmd.Args[1], p.log)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			return fmt.Errorf("%s: %w: %s", p.cmd.Args[1], err, p.log)
		}
		return nil
	case <-time.After(startTime):
		return fmt.Errorf("%s does not end: %s", p.cmd.Args[1], p.kill())
	}
}

// logTail keeps the end of what a process said.
type logTail struct {
	mu   sync.Mutex
	text bytes.Buffer
}

const maxLog = 4 << 10

// Write implements io.Writer.
func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if over := l.text.Len() - maxLog; over > 0 {
		l.text.Next(over)
	}
	return len(p), nil
}

// String is what is kept.
func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
