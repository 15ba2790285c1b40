import sys,re
f,how=sys.argv[1:3]
s=open(f).read()
def r(m):
    a,b=m.group(1),m.group(2)
    return {'ours':a,'theirs':b,'both':a+b}[how]
s=re.sub(r'<<<<<<< [^\n]*\n(.*?)(?:\|\|\|\|\|\|\| [^\n]*\n.*?)?=======\n(.*?)>>>>>>> [^\n]*\n',r,s,flags=re.S)
open(f,'w').write(s)
