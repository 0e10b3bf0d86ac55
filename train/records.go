package train

import (
	"bufio"
	"encoding/csv"
	"io"
	"strconv"
	"unicode/utf8"
)

// A CSVWriter writes a line for each epoch as it ends: what
// [History.WriteCSV] writes at once. It is a [Callback]; an error of the writer
// ends the training. A training that was resumed writes no names of columns, so
// that its file goes on where it ended if it was opened to append; what came
// after the checkpoint, if the program was killed, then stands there twice.
type CSVWriter struct{ w *csv.Writer }

// NewCSVWriter returns a CSVWriter that writes to w.
func NewCSVWriter(w io.Writer) *CSVWriter { return &CSVWriter{csv.NewWriter(w)} }

// OnEpoch writes the epoch.
func (c *CSVWriter) OnEpoch(_ *Training, e Epoch) error {
	if e.Number == 1 {
		c.w.Write(e.columns()) // Error below returns what fails
	}
	c.w.Write(e.cells())
	c.w.Flush()
	return c.w.Error()
}

// A JSONWriter writes lines of JSON: one for each epoch as it ends, and with
// Steps one for every so many steps. It is a [Callback]; an error of the writer
// ends the training.
//
//	{"step":200,"epoch":3,"loss":0.25,"rate":0.01}
//	{"epoch":3,"loss":0.24,"metrics":{"R²":0.9},"validation":{"loss":0.3,"metrics":{"R²":0.8}}}
//
// Numbers have as many digits as it takes to read them back exactly; NaN and
// infinities, which JSON does not have, are null.
type JSONWriter struct {
	Steps int // writes the steps whose number it divides; 0: none

	w    *bufio.Writer
	line []byte
}

// NewJSONWriter returns a JSONWriter that writes to w.
func NewJSONWriter(w io.Writer) *JSONWriter { return &JSONWriter{w: bufio.NewWriter(w)} }

// OnStep writes the step.
func (j *JSONWriter) OnStep(t *Training, s Step) error {
	if j.Steps == 0 || s.Number%j.Steps != 0 {
		return nil
	}
	b := strconv.AppendInt(append(j.line[:0], `{"step":`...), int64(s.Number), 10)
	b = strconv.AppendInt(append(b, `,"epoch":`...), int64(s.Epoch), 10)
	b = jsonNumber(append(b, `,"loss":`...), s.Loss)
	b = jsonNumber(append(b, `,"rate":`...), t.LearningRate())
	return j.write(append(b, "}\n"...))
}

// OnEpoch writes the epoch, and all that was written before to the writer.
func (j *JSONWriter) OnEpoch(_ *Training, e Epoch) error {
	b := strconv.AppendInt(append(j.line[:0], `{"epoch":`...), int64(e.Number), 10)
	b = e.Train.appendJSON(append(b, ','))
	if e.Validation != nil {
		b = append(e.Validation.appendJSON(append(b, `,"validation":{`...)), '}')
	}
	if err := j.write(append(b, "}\n"...)); err != nil {
		return err
	}
	return j.w.Flush()
}

// OnEnd hands the last lines to the writer.
func (j *JSONWriter) OnEnd(*Training, error) error { return j.w.Flush() }

func (j *JSONWriter) write(line []byte) error {
	j.line = line
	_, err := j.w.Write(line)
	return err
}

// appendJSON adds the fields of a report.
func (r *Report) appendJSON(b []byte) []byte {
	b = jsonNumber(append(b, `"loss":`...), r.Loss)
	for i, m := range r.Metrics {
		if i == 0 {
			b = append(b, `,"metrics":{`...)
		} else {
			b = append(b, ',')
		}
		b = jsonNumber(append(jsonString(b, m.Name), ':'), m.Value)
		if i == len(r.Metrics)-1 {
			b = append(b, '}')
		}
	}
	return b
}

func jsonNumber(b []byte, v float64) []byte {
	if !isFinite(v) {
		return append(b, "null"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// jsonString adds a text in quotes.
func jsonString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[r>>4], "0123456789abcdef"[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
