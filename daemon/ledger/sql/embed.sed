# Turns a file of SQL into one element of a C array of strings.
s/[\\"]/\\&/g
s/.*/"&\\n"/
$s/$/,/
