module plumbline/infra

go 1.26.0

require plumbline v0.0.0

replace plumbline => ../
