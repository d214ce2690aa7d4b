"""Draws the flask of this folder: python draw.py FOLDER (Pillow 12)."""
from PIL import Image, ImageDraw
import math, os, sys
out=sys.argv[1]; os.makedirs(out, exist_ok=True)
S=8*64
poses=[(0,1.0,"white","smiling"),(-18,0.9,"white","smiling"),(18,0.95,"white","winking"),(0,0.75,"white","surprised"),
       (-10,1.0,"white","winking"),(12,0.8,"white","smiling"),(0,0.9,"white","surprised"),(25,0.85,"white","smiling"),
       (-25,0.85,"white","surprised"),(6,1.05,"white","winking"),(-5,0.7,"white","smiling"),(0,1.05,"white","smiling")]
for i,(angle,scale,bg,face) in enumerate(poses):
    im=Image.new("RGBA",(S,S),(0,0,0,0)); d=ImageDraw.Draw(im)
    cx=S/2
    def P(x,y): return (cx+x*S*0.5, S/2+y*S*0.5)
    glass=(236,232,250,255); line=(74,44,120,255); liquid=(142,84,214,255); light=(186,142,240,255); w=int(S*0.022)
    body=[P(-.16,-.72),P(.16,-.72),P(.16,-.28),P(.62,.62),P(.55,.74),P(-.55,.74),P(-.62,.62),P(-.16,-.28)]
    d.polygon(body,fill=glass)
    d.polygon([P(-.36,.10),P(.36,.10),P(.62,.62),P(.55,.74),P(-.55,.74),P(-.62,.62)],fill=liquid)
    d.ellipse([*P(-.36,.03),*P(.36,.17)],fill=light)
    d.line(body+[body[0],body[1]],fill=line,width=w,joint="curve")
    d.rounded_rectangle([*P(-.24,-.82),*P(.24,-.70)],radius=S*0.03,fill=(255,196,61,255),outline=line,width=w)
    for bx,by,r in ((-.3,.52,.05),(.34,.48,.04),(.05,.62,.035)): d.ellipse([*P(bx-r,by-r),*P(bx+r,by+r)],fill=light)
    for side in (-1,1):
        ex,ey=side*.17,.27
        if face=="winking" and side==1: d.line([P(ex-.07,ey),P(ex+.07,ey)],fill=line,width=w)
        else:
            d.ellipse([*P(ex-.075,ey-.09),*P(ex+.075,ey+.09)],fill=(255,255,255,255),outline=line,width=w//2)
            d.ellipse([*P(ex-.035,ey-.03),*P(ex+.035,ey+.05)],fill=line)
    if face=="surprised": d.ellipse([*P(-.06,.40),*P(.06,.54)],fill=line)
    else: d.arc([*P(-.16,.32),*P(.16,.54)],20,160,fill=line,width=w)
    im=im.resize((int(S*scale),)*2,Image.LANCZOS).rotate(angle,Image.BICUBIC,expand=False)
    page=Image.new("RGBA",(S,S),bg); page.alpha_composite(im if im.size[0]<=S else im.crop(((im.size[0]-S)//2,)*2+((im.size[0]+S)//2,)*2),(max(0,(S-im.size[0])//2),)*2)
    page.convert("RGB").resize((128,128),Image.LANCZOS).save(f"{out}/{i:02d}.png",optimize=True)
    open(f"{out}/{i:02d}.txt","w").write(f"flask mascot, {face} flask\n")
