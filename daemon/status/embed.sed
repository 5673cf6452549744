# Turns a text into the elements of a C array of strings.
s/[\\"]/\\&/g
s/.*/"&\\n",/
