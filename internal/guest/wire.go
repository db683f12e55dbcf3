// Package guest is both ends of a virtual machine that zcprobe boots: the
// initramfs with this same program as its first process, what that process
// does, and the lines in which it sends home over the serial console what it
// found.
package guest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
)

// A line of the wire is the prefix, its number, its kind, the CRC-32 of all
// that and of the payload, and the payload in base64:
//
//	zcprobe> 12 record 5f3a9c01 H4sIAAAA…
//
// The kernel writes to the same console whenever it likes, so a line can be
// torn; then its checksum does not fit and its number is missing. The last line
// is of the kind "end" and holds how many lines there are.
const prefix = "zcprobe> "

// The kinds of lines.
const (
	kindStage  = "stage"  // what the guest does now
	kindNote   = "note"   // what a person should know beside the record
	kindRecord = "record" // a piece of the run record, compressed
	kindTests  = "tests"  // a piece of what the library's tests printed, compressed
	kindEnd    = "end"
)

// stageTests is the stage after the one in which the record is sent: when its
// line has come in its turn, all of the record has.
const stageTests = "library tests"

// pieceSize is how many bytes a line carries at most. Short lines lose little
// when one is torn and cost little in between.
const pieceSize = 384

// Sender numbers the lines of a guest and writes them.
type Sender struct {
	To io.Writer

	number int
	err    error // the first one
}

// Stage says what the guest does now.
func (s *Sender) Stage(words string) { s.line(kindStage, []byte(words)) }

// Note says what a person should know beside the record.
func (s *Sender) Note(words string) { s.line(kindNote, []byte(words)) }

// Record sends the run record.
func (s *Sender) Record(content []byte) { s.pieces(kindRecord, content) }

// Tests sends what the library's tests printed.
func (s *Sender) Tests(content []byte) { s.pieces(kindTests, content) }

// End sends the closing line. The error is the first of any line.
func (s *Sender) End() error {
	s.line(kindEnd, []byte(strconv.Itoa(s.number+1)))
	return s.err
}

// pieces sends something large, compressed.
func (s *Sender) pieces(kind string, content []byte) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(content)
	z.Close()
	for p := packed.Bytes(); len(p) > 0; {
		n := min(len(p), pieceSize)
		s.line(kind, p[:n])
		p = p[n:]
	}
}

func (s *Sender) line(kind string, payload []byte) {
	s.number++
	text := base64.StdEncoding.EncodeToString(payload)
	// The newline before it parts the line from one that the kernel has begun.
	_, err := fmt.Fprintf(s.To, "\n%s%d %s %08x %s\n", prefix, s.number, kind, checksum(s.number, kind, text), text)
	if s.err == nil {
		s.err = err
	}
}

func checksum(number int, kind, text string) uint32 {
	return crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %s %s", number, kind, text))
}

// message is a line that arrived whole.
type message struct {
	number  int
	kind    string
	payload []byte
}

// parse reads a line of the console. ours tells that it is of the wire, even
// where it is torn; then the message is nil.
func parse(line string) (m *message, ours bool) {
	at := strings.LastIndex(line, prefix)
	if at < 0 {
		return nil, false
	}
	fields := strings.Fields(line[at+len(prefix):])
	if len(fields) == 3 {
		fields = append(fields, "") // an empty payload
	}
	if len(fields) != 4 {
		return nil, true
	}
	var number int
	var sum uint32
	if _, err := fmt.Sscanf(fields[0]+" "+fields[2], "%d %x", &number, &sum); err != nil || number < 1 {
		return nil, true
	}
	if checksum(number, fields[1], fields[3]) != sum {
		return nil, true
	}
	payload, err := base64.StdEncoding.DecodeString(fields[3])
	if err != nil {
		return nil, true
	}
	return &message{number, fields[1], payload}, true
}
