# --help of a program as help2man reads it best: each option and each file on one line, with what it is; a section of files; paragraphs
# apart, which --help tells apart by lines that end early (it wraps at 110 columns), and lists of names as such.
function flush() { if (held != "") print held; held = "" }
/^Options:/ { inside = 1 }
inside && /^(Files|No file)/ { flush(); print "Files:"; files = 1; table = /^Files/ }
table { sub(/:$/, ".") }  # a line of its own that ends in a colon would be a heading
/^             *[^ ]/ {  # goes on with what stands above it
    sub(/^ +/, "")
    held = held (described ? " " : "  ") $0
    described = 1
    next
}
/^  [^ ]/ {
    flush()
    described = $0 ~ /[^ ]  +[^ ]/
    held = $0
    if (files) {  # name, what it holds, what it is
        sub(/^  /, "", held)
        cells = split(held, cell, /  +/)
        held = "  " cell[1] "  "
        rest = cells > 2 ? cell[2] : ""
        first = cells > 2 ? 3 : 2
        if (cells > 3 && cell[3] ~ /^\[/) { rest = rest " " cell[3]; first = 4 }
        for (i = first; i <= cells; ++i) rest = rest (i == first ? (rest == "" ? "" : ": ") : " ") cell[i]
        held = held rest
        table = 0
        last = ""
    }
    next
}
{
    flush()
    if (files && !table) {
        split($0, word, " ")
        if (last ~ /:$/ || listed) {
            if ($0 ~ /^[a-z][a-z0-9, -]*: / && ($0 !~ /^(dtype|with): /)) {
                at = index($0, ": ")
                if (!listed) print ""
                held = "  " substr($0, 1, at - 1) "  " substr($0, at + 2)
                listed = 1
                last = $0
                next
            }
        }
        if (listed || (last != "" && length(last) + 1 + length(word[1]) <= 110)) print ""
        if (last == "") print ""
        listed = 0
    }
    print
    last = $0
}
END { flush() }
