module plumbline/tools

go 1.26.0
