// Package outside asks a model elsewhere to read what the built-in reader is
// unsure of, by the chat completions interface that most of them speak. It is
// off unless set up. What leaves is the text alone, masked (Mask); what comes
// back is used only if it passes strict checks; and whatever fails or is late,
// the built-in answer stands.
package outside
